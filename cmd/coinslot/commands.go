package main

// commands are all that the program can do, in the order of its help.
var commands = []command{
	serveCommand,
	gamesCreate, gamesList, gamesShow, gamesUpdate, gamesRotateConfirmSecret,
	keysCreate, keysList, keysRotate, keysRevoke,
	webhooksCreate, webhooksList, webhooksUpdate, webhooksDelete, webhooksRotateSecret, webhooksTest,
	webhooksDeliveries, webhooksAttempts, webhooksRedeliver, webhooksRecover,
	sessionsShow,
	refundsCreate, refundsList, refundsShow,
	sandboxPay, triggerCommand, listenCommand,
	migrateStatus, migrateUp,
	benchCommand,
	versionCommand,
}
