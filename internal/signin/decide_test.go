package signin

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"matricula/internal/lms"
)

var update = flag.Bool("update", false, "write testdata/decisions.md anew")

const (
	theTenant    = "11111111-2222-3333-4444-555555555555"
	otherTenant  = "99999999-2222-3333-4444-555555555555"
	anIssuer     = "https://id.example"
	holderUserID = 7 // who holds the identity, when somebody does
	otherUserID  = 8 // who holds the address, when it is somebody else
)

// axis is one thing on which a decision may depend, with all of its values.
type axis struct {
	name   string
	values []string
}

var (
	providerAxis = axis{"provider", []string{
		"oidc for uni.example", "oidc for no domain", "oidc for *",
		"google for uni.example", "google for no domain", "google for gmail.com",
		"entra for uni.example", "entra for no domain", "entra for *",
	}}
	addressAxis  = axis{"address", []string{"ada@uni.example", "ada@gmail.com", "ada@googlemail.com", "ada@sub.uni.example", "none", "unclean"}}
	verifiedAxis = axis{"email_verified", []string{"absent", "true", "other"}}
	edovAxis     = axis{"xms_edov", []string{"absent", "true", "other"}}
	hdAxis       = axis{"hd", []string{"absent", "uni.example", "UNI.EXAMPLE", "other.example"}}

	identityAxis = axis{"identity held by", []string{"nobody", "active", "suspended", "erased", "pending"}}
	holderAxis   = axis{"address held by", []string{"nobody", "the same user", "pending", "active", "suspended", "erased"}}
	signUps      = []SignUp{SignUpNamed, SignUpDomains, SignUpAnyone}
)

func providerOf(name string) Provider {
	kind, domain, _ := strings.Cut(name, " for ")
	p := Provider{Name: "p", Label: "P", Issuer: anIssuer, ClientID: "c", Kind: Kind(kind)}
	if p.Kind == KindEntra {
		p.Tenant = theTenant
	}
	switch domain {
	case "*":
		p.TrustAll = true
	case "no domain":
	default:
		p.Domains = []string{domain}
	}
	return p
}

func tokenOf(address, verified, edov, hd string) Token {
	states := map[string]Verified{"absent": VerifiedAbsent, "true": VerifiedTrue, "other": VerifiedNot}
	token := Token{
		Issuer: anIssuer, Subject: "subject", Tenant: theTenant, Email: address,
		EmailVerified: states[verified], DomainOwnerVerified: states[edov], HostedDomain: hd,
	}
	switch address {
	case "none":
		token.Email = ""
	case "unclean":
		token.Email = " ada@uni.example"
	}
	if hd == "absent" {
		token.HostedDomain = ""
	}
	return token
}

// accountOf is false for a state that cannot be: the same user where there is none.
func accountOf(identity, address string) (AccountState, bool) {
	var account AccountState
	if identity != "nobody" {
		account.Identity = &Holder{UserID: holderUserID, Status: lms.UserStatus(identity)}
	}
	switch address {
	case "nobody":
	case "the same user":
		account.Address = account.Identity
	default:
		account.Address = &Holder{UserID: otherUserID, Status: lms.UserStatus(address)}
	}
	return account, address != "the same user" || identity != "nobody"
}

// everything calls fn with each combination of all axes.
func everything(fn func(p Provider, providerName string, token Token, identity, address string, account AccountState)) {
	for _, providerName := range providerAxis.values {
		p := providerOf(providerName)
		for _, email := range addressAxis.values {
			for _, verified := range verifiedAxis.values {
				for _, edov := range edovAxis.values {
					for _, hd := range hdAxis.values {
						token := tokenOf(email, verified, edov, hd)
						for _, identity := range identityAxis.values {
							for _, holder := range holderAxis.values {
								if account, possible := accountOf(identity, holder); possible {
									fn(p, providerName, token, identity, holder, account)
								}
							}
						}
					}
				}
			}
		}
	}
}

func (d Decision) cell() string {
	s := string(d.Kind)
	if d.Reason != "" {
		s += ": " + string(d.Reason)
	}
	if d.NewAddress {
		s += ", adding the address"
	}
	return s
}

// worth is the class of a token's evidence, all that the rest depends on.
func worth(e evidence) string {
	switch {
	case e.problem != "":
		return string(e.problem)
	case e.authoritative && e.listed:
		return "proven, of a configured domain"
	case e.authoritative:
		return "proven, of no configured domain"
	case e.listed:
		return "attested, of a configured domain"
	default:
		return "attested, of no configured domain"
	}
}

var worths = axis{"worth", []string{
	"proven, of a configured domain", "proven, of no configured domain",
	"attested, of a configured domain", "attested, of no configured domain",
	string(ReasonNotVerified), string(ReasonAddressUnclean), string(ReasonAddressMissing),
}}

// row is a set of combinations that have the same results: the product of the
// sets of values in its columns.
type row struct {
	sets    [][]string
	results []string
}

// compact joins rows that differ in one column only, one column after the
// other. Nothing is lost: each step is a union of products.
func compact(rows []row, axes []axis) []row {
	for column := range slices.Backward(axes) {
		var joined []row
		at := map[string]int{}
		for _, r := range rows {
			rest := slices.Clone(r.sets)
			rest[column] = nil
			key := fmt.Sprint(rest, r.results)
			n, seen := at[key]
			if !seen {
				at[key] = len(joined)
				joined = append(joined, row{sets: slices.Clone(r.sets), results: r.results})
				continue
			}
			joined[n].sets[column] = slices.Concat(joined[n].sets[column], r.sets[column])
		}
		rows = joined
	}
	return rows
}

func table(w *strings.Builder, axes []axis, results []string, rows []row) {
	var names, lines []string
	for _, a := range axes {
		names = append(names, a.name)
	}
	for range len(axes) + len(results) {
		lines = append(lines, "---")
	}
	fmt.Fprintf(w, "| %s |\n| %s |\n", strings.Join(slices.Concat(names, results), " | "), strings.Join(lines, " | "))
	for _, r := range compact(rows, axes) {
		var cells []string
		for n, set := range r.sets {
			cell := strings.Join(set, "; ")
			if len(set) == len(axes[n].values) {
				cell = "any"
			}
			cells = append(cells, cell)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(slices.Concat(cells, r.results), " | "))
	}
}

// decisions answers the whole document, and the decision of each class of
// evidence and state of the account for the three sign-up policies.
func decisions() (document string, byClass map[[3]string][3]Decision) {
	var w strings.Builder
	w.WriteString("# What Decide answers\n\n" +
		"Generated by `go test ./internal/signin -update`; the test compares it with every combination.\n" +
		"A token with another issuer than the provider's, an invalid subject or (Entra) another tenant is refused before all else:\n" +
		"`issuer-not-allowed`, `subject-invalid`, `tenant-not-allowed`.\n\n" +
		"## What an address in a token is worth\n\n" +
		"*Proven*: verified, and the provider hands out the addresses of the domain. *Attested*: verified, but by a mere witness.\n\n")

	axes := []axis{providerAxis, addressAxis, verifiedAxis, edovAxis, hdAxis}
	var rows []row
	samples := map[string]struct {
		provider Provider
		token    Token
	}{}
	seen := map[string]bool{}
	everything(func(p Provider, name string, token Token, _, _ string, _ AccountState) {
		address := token.Email
		switch address {
		case "":
			address = "none"
		case " ada@uni.example":
			address = "unclean"
		}
		hd := token.HostedDomain
		if hd == "" {
			hd = "absent"
		}
		values := []string{name, address, token.EmailVerified.String(), token.DomainOwnerVerified.String(), hd}
		if key := strings.Join(values, "\n"); seen[key] {
			return
		} else {
			seen[key] = true
		}
		class := worth(weigh(p, token))
		if _, have := samples[class]; !have {
			samples[class] = struct {
				provider Provider
				token    Token
			}{p, token}
		}
		r := row{results: []string{class}}
		for _, v := range values {
			r.sets = append(r.sets, []string{v})
		}
		rows = append(rows, r)
	})
	table(&w, axes, []string{"the address is"}, rows)

	w.WriteString("\n## What is done\n\nThe last three columns are the policies for strangers, `MATRICULA_SIGNUP`.\n\n")
	byClass = map[[3]string][3]Decision{}
	rows = nil
	for _, class := range worths.values {
		sample := samples[class]
		for _, identity := range identityAxis.values {
			for _, holder := range holderAxis.values {
				account, possible := accountOf(identity, holder)
				if !possible {
					continue
				}
				var three [3]Decision
				r := row{sets: [][]string{{class}, {identity}, {holder}}}
				for n, signUp := range signUps {
					three[n] = Decide(Policy{Provider: sample.provider, SignUp: signUp}, sample.token, account)
					r.results = append(r.results, three[n].cell())
				}
				byClass[[3]string{class, identity, holder}] = three
				rows = append(rows, r)
			}
		}
	}
	table(&w, []axis{{"the address is", worths.values}, identityAxis, holderAxis}, []string{"named", "domains", "anyone"}, rows)
	return w.String(), byClass
}

func TestDecisionTableIsUpToDateAndCoversEveryCombination(t *testing.T) {
	document, byClass := decisions()
	const file = "testdata/decisions.md"
	if *update {
		if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != document {
		t.Errorf("%s no longer tells what Decide answers; read the difference, then run: go test ./internal/signin -update", file)
	}

	combinations := 0
	everything(func(p Provider, name string, token Token, identity, holder string, account AccountState) {
		want := byClass[[3]string{worth(weigh(p, token)), identity, holder}]
		for n, signUp := range signUps {
			combinations++
			got := Decide(Policy{Provider: p, SignUp: signUp}, token, account)
			if got.cell() != want[n].cell() || got.UserID != want[n].UserID {
				t.Fatalf("%s, %+v, identity %s, address %s, %s: %s, but the table says %s", name, token, identity, holder, signUp, got.cell(), want[n].cell())
			}
		}
	})
	if combinations < 100_000 {
		t.Errorf("only %d combinations were tried", combinations)
	}
}

// The same rules once more, in other words than the code's.
func TestNoCombinationBreaksTheRules(t *testing.T) {
	everything(func(p Provider, name string, token Token, identity, holder string, account AccountState) {
		clean := strings.HasPrefix(token.Email, "ada@")
		_, domain, _ := strings.Cut(token.Email, "@")
		verified := clean && token.EmailVerified == VerifiedTrue
		if p.Kind == KindEntra {
			edov := token.DomainOwnerVerified
			verified = clean && (token.EmailVerified == VerifiedTrue && edov != VerifiedNot || token.EmailVerified == VerifiedAbsent && edov == VerifiedTrue)
		}
		configured := len(p.Domains) == 1 && p.Domains[0] == domain || p.TrustAll
		authority := configured
		if p.Kind == KindGoogle {
			authority = domain == "gmail.com" || domain == "googlemail.com" || configured && token.HostedDomain == domain
		}
		for _, signUp := range signUps {
			d := Decide(Policy{Provider: p, SignUp: signUp}, token, account)
			broken := func(rule string) {
				t.Helper()
				t.Fatalf("%s: %s, %+v, identity %s, address %s, %s: %s", rule, name, token, identity, holder, signUp, d.cell())
			}
			known := account.Identity != nil
			switch d.Kind {
			case Claim:
				if known || holder != "pending" || d.UserID != otherUserID {
					broken("a claim is of a pending user's address by a new identity")
				}
				if !verified || !authority {
					broken("a claim needs a verified address from its authority")
				}
			case SignIn:
				if identity != "active" || d.UserID != holderUserID {
					broken("only an active user signs in, by their own identity")
				}
			case Create:
				if known || account.Address != nil || d.UserID != 0 {
					broken("an account is created only where there is none")
				}
				if !verified || !authority || signUp == SignUpNamed || signUp == SignUpDomains && !configured {
					broken("a stranger needs a proven address and a policy that lets them in")
				}
			case ProveAddress:
				if known || !verified || authority || account.Address != nil && holder != "pending" {
					broken("a proof is asked for a verified address of another authority that can still be had")
				}
			case Refuse:
				if identity == "active" {
					broken("an active user is let in whatever the address")
				}
			default:
				broken("an outcome without a name")
			}
			if (d.Reason != "") != (d.Kind == Refuse || d.Kind == ProveAddress) {
				broken("a reason is given when somebody may not come in, and only then")
			}
			if (d.Email != "") != clean {
				broken("the decision carries the address if it is clean")
			}
			if d.NewAddress && (d.Kind != SignIn || account.Address != nil || !verified || !authority) {
				broken("only a proven address that nobody holds is added")
			}
			if d.Err(p) == nil != (d.Kind == SignIn || d.Kind == Claim || d.Kind == Create) {
				broken("a refusal is an error, and nothing else is")
			}
		}
	})
}

func TestATokenFromElsewhereIsRefusedBeforeAnythingElse(t *testing.T) {
	good := tokenOf("ada@uni.example", "true", "absent", "absent")
	for _, c := range []struct {
		name     string
		provider string
		change   func(*Token)
		want     Reason
	}{
		{"another issuer", "oidc for *", func(t *Token) { t.Issuer = "https://other.example" }, ReasonIssuer},
		{"no issuer", "oidc for *", func(t *Token) { t.Issuer = "" }, ReasonIssuer},
		{"no subject", "oidc for *", func(t *Token) { t.Subject = "" }, ReasonSubject},
		{"a long subject", "oidc for *", func(t *Token) { t.Subject = strings.Repeat("s", 256) }, ReasonSubject},
		{"a subject with a line break", "oidc for *", func(t *Token) { t.Subject = "a\nb" }, ReasonSubject},
		{"a subject outside ASCII", "oidc for *", func(t *Token) { t.Subject = "josé" }, ReasonSubject},
		{"another tenant", "entra for *", func(t *Token) { t.Tenant = otherTenant }, ReasonTenant},
		{"no tenant", "entra for *", func(t *Token) { t.Tenant = "" }, ReasonTenant},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := good
			c.change(&token)
			for _, identity := range identityAxis.values {
				for _, holder := range holderAxis.values {
					account, _ := accountOf(identity, holder)
					d := Decide(Policy{Provider: providerOf(c.provider), SignUp: SignUpAnyone}, token, account)
					if d != (Decision{Kind: Refuse, Reason: c.want}) {
						t.Errorf("identity %s, address %s: %+v, want refuse: %s", identity, holder, d, c.want)
					}
				}
			}
		})
	}
}

func TestAnUnconfiguredTenantOrPolicyOrKindLetsNobodyNewIn(t *testing.T) {
	token := tokenOf("ada@uni.example", "true", "true", "absent")
	p := providerOf("entra for *")
	p.Tenant, token.Tenant = "", ""
	if d := Decide(Policy{Provider: p, SignUp: SignUpAnyone}, token, AccountState{}); d.Reason != ReasonTenant {
		t.Errorf("an Entra provider without a tenant: %s", d.cell())
	}
	token = tokenOf("ada@uni.example", "true", "absent", "absent")
	if d := Decide(Policy{Provider: providerOf("oidc for *")}, token, AccountState{}); d.Reason != ReasonNotNamed {
		t.Errorf("no sign-up policy: %s", d.cell())
	}
	p = providerOf("oidc for *")
	p.Kind = "something new"
	pending := AccountState{Address: &Holder{UserID: otherUserID, Status: lms.StatusPending}}
	if d := Decide(Policy{Provider: p, SignUp: SignUpAnyone}, token, pending); d.Kind != ProveAddress {
		t.Errorf("a provider of unknown kind: %s", d.cell())
	}
}

func TestSignUpPoliciesAreReadByName(t *testing.T) {
	for _, want := range signUps {
		if got, err := ParseSignUp(string(want)); got != want || err != nil {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
	for _, bad := range []string{"", "Named", "everyone", " anyone"} {
		if got, err := ParseSignUp(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

// A code turns "prove the address" into what the provider's word would have been
// enough for, for that address alone, and changes nothing else.
func TestACodeProvesOneAddressAndNothingElse(t *testing.T) {
	asked := 0
	everything(func(p Provider, providerName string, token Token, identity, address string, account AccountState) {
		for _, signUp := range signUps {
			policy := Policy{Provider: p, SignUp: signUp}
			d := Decide(policy, token, account)
			for _, proved := range []lms.Email{"", "ada@uni.example", "ada@gmail.com", "mallory@evil.example"} {
				got, want := Redeem(policy, token, account, proved), d
				if d.Kind == ProveAddress && proved == d.Email {
					asked++
					want.Reason, want.Kind = "", Create
					if address == "pending" {
						want.Kind = Claim
					}
				}
				if got != want {
					t.Fatalf("%s, %s, identity %s, address %s, %s, proved %q: %+v, want %+v", providerName, token.Email, identity, address, signUp, proved, got, want)
				}
			}
		}
	})
	if asked == 0 {
		t.Error("nobody was ever asked to prove an address")
	}
}
