// Package checkout is the payment page: what a player sees of Coinslot. Every page
// is rendered on the server and works with forms and links alone; the script in it
// only makes it smoother. It asks the use cases and decides nothing about money.
package checkout
