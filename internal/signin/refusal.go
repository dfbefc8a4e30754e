package signin

import (
	"fmt"

	"matricula/internal/lms"
)

// Err is the decision as an error that the person who wanted to sign in can
// read, nil when they may come in. ProveAddress is one too, for an
// installation that cannot send the code.
func (d Decision) Err(p Provider) error {
	if d.Kind == SignIn || d.Kind == Claim || d.Kind == Create {
		return nil
	}
	code := lms.CodeForbidden
	switch d.Reason {
	case ReasonAddressInUse, ReasonLinkedElsewhere:
		code = lms.CodeConflict
	case ReasonInconsistent:
		code = lms.CodeInternal
	}
	text := d.Reason.message(p.Label)
	return lms.Errorf(code, string(d.Reason), text.Format, text.Args...)
}

// message says what happened and what to do, without an address: it may be
// logged.
func (r Reason) message(label string) lms.Text {
	switch r {
	case ReasonTenant:
		return lms.Say("You signed in with %s, but with an account of another organization. Sign in with the account of your school.", label)
	case ReasonAddressMissing:
		return lms.Say("%s did not tell us your e-mail address, without which we cannot find your account. Start again and allow it to be shared, or choose another way to sign in.", label)
	case ReasonAddressUnclean:
		return lms.Say("%s sent an e-mail address that cannot be used here. Ask the administrator of this site for help.", label)
	case ReasonNotVerified:
		return lms.Say("%s has not verified that your e-mail address is yours. Verify it there and start again, or choose another way to sign in.", label)
	case ReasonNotAuthoritative:
		return lms.Say("We cannot take %s's word for your e-mail address. Choose the way to sign in that belongs to your address, or ask the person who invited you or the administrator of this site.", label)
	case ReasonAddressInUse:
		return lms.Say("Your e-mail address already belongs to an account that signs in another way. Sign in the way you did before. If you cannot, or want to use both ways, ask the administrator of this site.")
	case ReasonSuspended:
		return lms.Say("Your account is suspended. Ask the administrator of this site why.")
	case ReasonErased:
		return lms.Say("Your account was erased. Ask the administrator of this site if you need a new one.")
	case ReasonNotNamed:
		return lms.Say("Nobody here has named your e-mail address yet. Ask your teacher to add the address with which you just signed in, then sign in again.")
	case ReasonLinkedElsewhere:
		return lms.Say("The directory of your school says that this account belongs to another sign-in with %s. Sign in with the account that your school gave you, or ask the administrator of this site.", label)
	case ReasonInconsistent:
		return lms.Say("Your account is in a state that should not be. Ask the administrator of this site to look at it.")
	default: // ReasonIssuer, ReasonSubject: nothing that a person did
		return lms.Say(messageFailed)
	}
}

const messageFailed = "The sign-in could not be completed. Please start again."

// failed is a sign-in that did not pass the checks. The cause is for the log.
func failed(cause error) error {
	return lms.Errorf(lms.CodeForbidden, "sign-in-failed", messageFailed).Because(cause)
}

// malformed is a callback that no provider would send.
func malformed(cause error) error {
	return lms.Errorf(lms.CodeMalformed, "sign-in-failed", messageFailed).Because(cause)
}

// unavailable is a provider that does not do its part.
func unavailable(p Provider, cause error) error {
	return lms.Errorf(lms.CodeUnavailable, "provider-unavailable",
		"Signing in with %s does not work at the moment. Try again in a few minutes; if it lasts, tell the administrator of this site.", p.Label).Because(cause)
}

// CallbackError is for a provider that sent the browser back with an error
// code (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6)
// instead of a code.
func CallbackError(p Provider, code string) error {
	cause := fmt.Errorf("the provider answered the authorization request with %s", printableCode(code))
	switch code {
	case "access_denied", "interaction_required", "login_required", "consent_required", "account_selection_required":
		return lms.Errorf(lms.CodeForbidden, "sign-in-canceled", "You did not finish signing in with %s. Start again when you like.", p.Label).Because(cause)
	case "server_error", "temporarily_unavailable", "unauthorized_client", "invalid_scope", "unsupported_response_type":
		return unavailable(p, cause)
	default:
		return failed(cause)
	}
}

// printableCode lets an error code into the log, but not what a hostile
// sender may have put in its place.
func printableCode(code string) string {
	if code == "" || len(code) > 64 {
		return "an unreadable error code"
	}
	for _, r := range code {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return "an unreadable error code"
		}
	}
	return code
}
