package signin

import (
	"fmt"

	"matricula/internal/lms"
)

// SignUp says who may sign in without having been named by anyone.
type SignUp string

// The policies for strangers, the values of MATRICULA_SIGNUP.
const (
	SignUpNamed   SignUp = "named"   // nobody
	SignUpDomains SignUp = "domains" // people of a provider's configured domains
	SignUpAnyone  SignUp = "anyone"  // everyone who can prove an address
)

// ParseSignUp reads a policy by its name.
func ParseSignUp(s string) (SignUp, error) {
	switch p := SignUp(s); p {
	case SignUpNamed, SignUpDomains, SignUpAnyone:
		return p, nil
	}
	return "", fmt.Errorf("must be named, domains or anyone, not %q", s)
}

// Policy is what the operator decided about one door.
type Policy struct {
	Provider Provider // the enabled provider through which the token came
	SignUp   SignUp
}

// Holder is a user who holds an identity or an address.
type Holder struct {
	UserID int64
	Status lms.UserStatus
}

// AccountState is what the database knows about a token, read in the
// transaction that will act on the decision.
type AccountState struct {
	Identity *Holder // who holds (Token.Issuer, Token.Subject); nil: nobody
	Address  *Holder // who holds Token.Address; nil: nobody, or there is no clean address

	// Link is to whom a directory of the institution has linked this subject of this
	// issuer, which is no identity as long as nobody signed in with it; nil: to nobody.
	Link *Holder
	// AddressLinked tells whether a directory has linked whoever holds the address to
	// a subject of this issuer.
	AddressLinked bool
}

// Outcome is what is to be done.
type Outcome string

// The outcomes of a sign-in. Whatever is not one of the first three leaves
// every account as it was.
const (
	SignIn       Outcome = "sign in"       // as Decision.UserID, who holds this identity
	Claim        Outcome = "claim"         // the pending Decision.UserID gets this identity and becomes active
	Create       Outcome = "create"        // a new active user with this identity and Decision.Email
	ProveAddress Outcome = "prove address" // by a code sent to Decision.Email; until then, nothing
	Refuse       Outcome = "refuse"
)

// Reason is the stable name of why somebody may not come in, or not yet.
type Reason string

// The reasons, which also name the problem type and the audit entry.
const (
	ReasonIssuer           Reason = "issuer-not-allowed"         // the token is of another provider than the policy
	ReasonSubject          Reason = "subject-invalid"            // sub is empty, too long or not ASCII
	ReasonTenant           Reason = "tenant-not-allowed"         // tid is not the configured tenant
	ReasonAddressMissing   Reason = "address-missing"            // no address, or not a string
	ReasonAddressUnclean   Reason = "address-unclean"            // the address is not one that we accept as it stands
	ReasonNotVerified      Reason = "address-not-verified"       // the provider does not call it verified
	ReasonNotAuthoritative Reason = "provider-not-authoritative" // verified, but by one who does not hand it out
	ReasonAddressInUse     Reason = "address-in-use"             // an active account has it, with another identity
	ReasonSuspended        Reason = "account-suspended"
	ReasonErased           Reason = "account-erased"
	ReasonNotNamed         Reason = "not-named"              // a stranger, where strangers may not sign up
	ReasonInconsistent     Reason = "internal-inconsistency" // an account in a state that cannot be
	ReasonLinkedElsewhere  Reason = "linked-elsewhere"       // a directory says that the account is another subject's
)

// Decision is the answer of Decide.
type Decision struct {
	Kind   Outcome
	Reason Reason    // set for Refuse and ProveAddress
	UserID int64     // whose account it is about; 0 when there is none
	Email  lms.Email // the token's address in canonical form; zero when it has no clean one

	// NewAddress is set with SignIn when the token proves an address that
	// nobody holds: the person got another one. It may be added to the account
	// with a notice to both; it never brings a pending person along.
	NewAddress bool

	// Linked is set with Claim when it is a directory's link that lets them claim, and
	// not the token's address: what the account is called by is the directory's word.
	Linked bool
}

// evidence is what a token proves about its address, by itself.
type evidence struct {
	email         lms.Email
	problem       Reason // why the address proves nothing: missing, unclean, not verified
	authoritative bool   // the provider hands out the addresses of this domain
	listed        bool   // the operator named the domain as this provider's
}

func weigh(p Provider, token Token) evidence {
	if token.Email == "" {
		return evidence{problem: ReasonAddressMissing}
	}
	email, err := token.Address()
	if err != nil {
		return evidence{problem: ReasonAddressUnclean}
	}
	e := evidence{email: email}
	if !p.addressVerified(token) {
		e.problem = ReasonNotVerified
		return e
	}
	e.authoritative = p.authoritative(email.Domain(), token)
	e.listed = p.lists(email.Domain())
	return e
}

// Decide says what a verified token is worth. It is pure and denies by
// default; testdata/decisions.md shows everything that it can answer.
//
// Identity is (issuer, subject). An address is a ticket that claims a pending
// row once; it is never how a later sign-in is recognized, and it never links
// an identity to an account that already has one.
func Decide(policy Policy, token Token, account AccountState) Decision {
	if reason := inadmissible(policy.Provider, token); reason != "" {
		return Decision{Kind: Refuse, Reason: reason}
	}
	e := weigh(policy.Provider, token)
	if account.Identity != nil {
		return decideKnown(e, *account.Identity, account.Address)
	}
	if account.Link != nil {
		return decideLinked(e, *account.Link)
	}
	if e.problem != "" {
		return Decision{Kind: Refuse, Reason: e.problem, Email: e.email}
	}
	if account.Address != nil {
		return decideHeld(e, *account.Address, account.AddressLinked)
	}
	return decideStranger(policy.SignUp, e)
}

// Redeem is Decide for a token whose holder may have proved an address by a code that
// was sent to it. It turns "prove the address" into what the provider's word would
// have been enough for, and changes no other decision: a code is no way round a
// suspension, a token that is not verified, or somebody else's account.
func Redeem(policy Policy, token Token, account AccountState, proved lms.Email) Decision {
	d := Decide(policy, token, account)
	if d.Kind != ProveAddress || proved == "" || d.Email != proved {
		return d
	}
	if d.Kind, d.Reason = Create, ""; d.UserID != 0 {
		d.Kind = Claim
	}
	return d
}

// inadmissible repeats what the protocol checks made sure of, because whoever
// calls Decide with a token from elsewhere must not get past it.
func inadmissible(p Provider, token Token) Reason {
	switch {
	case token.Issuer == "" || token.Issuer != p.Issuer:
		return ReasonIssuer
	case !validSubject(token.Subject):
		return ReasonSubject
	case p.Kind == KindEntra && (p.Tenant == "" || token.Tenant != p.Tenant):
		return ReasonTenant
	}
	return ""
}

// decideKnown is for a subject that has signed in before: the same account,
// whatever address it has by now.
func decideKnown(e evidence, holder Holder, address *Holder) Decision {
	d := Decision{Kind: Refuse, UserID: holder.UserID, Email: e.email}
	switch holder.Status {
	case lms.StatusActive:
		d.Kind = SignIn
		d.NewAddress = e.problem == "" && e.authoritative && address == nil
	case lms.StatusSuspended:
		d.Reason = ReasonSuspended
	case lms.StatusErased:
		d.Reason = ReasonErased
	default: // a pending user holds no identity
		d.Reason = ReasonInconsistent
	}
	return d
}

// decideLinked is for a new subject that a directory has linked to somebody. It is by
// who they are that they claim, so that the token's address does not matter, whosever
// it is: nothing is absorbed that waits for it. Somebody who has another identity
// already keeps that one alone.
func decideLinked(e evidence, holder Holder) Decision {
	d := Decision{Kind: Refuse, UserID: holder.UserID, Email: e.email}
	switch holder.Status {
	case lms.StatusPending:
		d.Kind, d.Linked = Claim, true
	case lms.StatusActive:
		d.Reason = ReasonLinkedElsewhere
	case lms.StatusSuspended:
		d.Reason = ReasonSuspended
	default: // an erased user has no link
		d.Reason = ReasonInconsistent
	}
	return d
}

// decideHeld is for a new subject whose verified address somebody holds. Whom a
// directory has linked to another subject of the issuer cannot be claimed by this one,
// though it has the address: the issuer gives addresses to others, and never subjects.
func decideHeld(e evidence, holder Holder, linked bool) Decision {
	d := Decision{Kind: Refuse, UserID: holder.UserID, Email: e.email}
	switch holder.Status {
	case lms.StatusPending:
		if linked {
			d.Reason = ReasonLinkedElsewhere
			return d
		}
		d.Kind = Claim
		if !e.authoritative {
			d.Kind, d.Reason = ProveAddress, ReasonNotAuthoritative
		}
	case lms.StatusActive:
		d.Reason = ReasonAddressInUse
	case lms.StatusSuspended:
		d.Reason = ReasonSuspended
	default: // an erased user holds no address
		d.Reason = ReasonInconsistent
	}
	return d
}

// decideStranger is for a new subject with a verified address that nobody holds.
func decideStranger(signUp SignUp, e evidence) Decision {
	d := Decision{Kind: Refuse, Reason: ReasonNotNamed, Email: e.email}
	switch signUp {
	case SignUpAnyone:
		if e.authoritative {
			d.Kind, d.Reason = Create, ""
		} else {
			d.Kind, d.Reason = ProveAddress, ReasonNotAuthoritative
		}
	case SignUpDomains:
		// Google's authority over gmail.com proves who somebody is, not that
		// the school knows them: a stranger's domain has to be configured.
		if e.listed && e.authoritative {
			d.Kind, d.Reason = Create, ""
		} else if e.listed {
			d.Reason = ReasonNotAuthoritative
		}
	}
	return d
}
