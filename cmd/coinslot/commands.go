package main

// commands are all that the program can do, in the order of its help.
var commands = []command{
	serveCommand,
	gamesCreate, gamesList, gamesShow, gamesUpdate, gamesRotateConfirmSecret,
	keysCreate, keysList, keysRotate, keysRevoke,
	webhooksCreate, webhooksList, webhooksUpdate, webhooksDelete, webhooksRotateSecret, webhooksTest, webhooksVerify,
	webhooksDeliveries, webhooksAttempts, webhooksRedeliver, webhooksRecover,
	sessionsShow, paymentsLate,
	refundsCreate, refundsList, refundsShow,
	sandboxPay, sandboxAdvance, sandboxClock, triggerCommand, listenCommand,
	backupCommand, restoreCommand, copyCommand, doctorCommand, migrateStatus, migrateUp,
	benchCommand,
	versionCommand,
}
