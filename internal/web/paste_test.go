package web_test

import (
	"net/http"
	"testing"
)

func TestColumnsOfASpreadsheetArePasted(t *testing.T) {
	c := algorithms(t)
	c.ada.post(c.path+"/people/check", "role", "student", "emails", "Cognome\tNome\tE-mail\nNoether\tEmmy\temmy@uni.example\nLamarr\tHedy\thedy@uni.example\n").
		want(http.StatusOK).says("main", "2 people are ready to be added")
	c.ada.post(c.path+"/people/check", "role", "student", "emails", "Emmy\temmy@uni.example\nHedy\thedy@uni.example").want(http.StatusOK).says("main", "2 people are ready to be added")
}
