package checkout

import (
	"net/http"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
)

// ServeHTTP finds what a path asks for. A ServeMux could not: where the page has a
// host of its own, /{id}/pay and /images/{name} are patterns that contend.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := h.newVisit(w, r)
	path, ours := strings.CutPrefix(r.URL.Path, h.Mount)
	ours = ours && strings.HasPrefix(path, "/")
	if name, ok := strings.CutPrefix(path, imagesPath); ok && ours {
		v.image(name)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, imagesPath); ok {
		v.image(name)
		return
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	action, known := find(parts)
	switch {
	case !ours || !known:
		v.notFound()
	case !action.allows(r.Method):
		v.wrongMethod(action)
	default:
		v.serve(action, parts)
	}
}

// action is one thing that can be asked of a session's page.
type action struct {
	get  func(*visit, pay.SessionID, string)
	post func(*visit, pay.SessionID)
}

var actions = map[string]action{
	"":       {get: (*visit).page},
	"state":  {get: (*visit).state},
	"live":   {get: (*visit).live},
	"wallet": {get: (*visit).wallet},
	// A browser that is given the address of a form's answer again shows the page.
	"pay":    {get: (*visit).toPage, post: (*visit).pay},
	"verify": {get: (*visit).verify, post: (*visit).answer},
	"cancel": {get: (*visit).toPage, post: (*visit).cancel},
}

// find reads the parts {id}, {id}/{verb} and {id}/wallet/{method}.
func find(parts []string) (action, bool) {
	verb := ""
	if len(parts) > 1 {
		verb = parts[1]
	}
	a, known := actions[verb]
	wanted := 2
	switch {
	case len(parts) == 1:
		wanted = 1
	case verb == "":
		known = false
	case verb == "wallet":
		wanted = 3
	}
	return a, known && len(parts) == wanted
}

func (a action) allows(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead:
		return true // every action can be got
	case http.MethodPost:
		return a.post != nil
	}
	return false
}

func (v *visit) serve(a action, parts []string) {
	id, err := pay.ParseSessionID("id", parts[0])
	if err != nil {
		// Nonsense is looked up like any other id, so that the time taken tells nothing.
		id = "sess_0"
	}
	if v.r.Method == http.MethodPost {
		a.post(v, id)
		return
	}
	a.get(v, id, parts[len(parts)-1])
}

// visit is one request and all that its answer depends on.
type visit struct {
	*handler
	w     http.ResponseWriter
	r     *http.Request
	nonce string

	images string   // sources of images that the policy allows
	frames []string // origins that may frame the answer
}
