package config

// Admin is how the operator's commands find the server.
type Admin struct {
	URL   string // empty: as the server on this machine wrote it into Data
	Token string // likewise
	Data  string
}

// AdminFlags declares the flags that every command has which talks to the server.
// The token has none: a command line can be seen by other users of the machine.
func AdminFlags(f *Flags) *Admin {
	a := &Admin{Data: DefaultData}
	f.Setting("data", "DIR", "the server's data directory, where it runs on this machine", checked(&a.Data, notEmpty))
	f.settingFrom("COINSLOT_URL", "server", "URL", "the server's URL, where it runs elsewhere; its token must be in COINSLOT_ADMIN_TOKEN", Reader{Read: baseURL(&a.URL)})
	return a
}

// ReadToken takes the admin token from the environment.
func (a *Admin) ReadToken(env Environment) {
	a.Token, _ = env("COINSLOT_ADMIN_TOKEN")
}
