// Package story plays the main job of Matricula from end to end, as people and
// programs meet it: somebody is named before they ever came, and their first
// sign-in finds it all. Its tests start the whole program on both databases and
// sign in through a real OpenID provider. They look at nothing that is not
// visible from outside, but for the database's own word that no reference to a
// person is null.
package story
