package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Address is an address of the caller.
type Address struct {
	Email      string     `json:"email"`
	Primary    bool       `json:"primary" doc:"The one that others see."`
	VerifiedAt *time.Time `json:"verified_at" doc:"When it was proved to be the caller's; null: nobody has yet."`
	CreatedAt  time.Time  `json:"created_at"`
}

// Proof is an address that waits for the code that was sent to it.
type Proof struct {
	Proof     string    `json:"proof" doc:"Goes with the code. Keep it to yourself."`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
	Tries     int       `json:"tries" doc:"How often the code may be wrong."`
}

// Mail is a mail that was sent, or is to be. What it says is not kept.
type Mail struct {
	ID        int64      `json:"id"`
	Kind      string     `json:"kind" enum:"sign-in-code,address-code,address-held,address-changed,named,arrived,merged,expiring,claim-asked"`
	UserID    *int64     `json:"user_id" doc:"Whom it is for; null: nobody has the address yet."`
	Email     string     `json:"email"`
	State     string     `json:"state" enum:"queued,sent,bounced,failed,canceled" doc:"sent: the mail server took it. What happens beyond, nobody tells us. bounced: it does not take it, and never will. failed: given up after two days."`
	Fault     string     `json:"fault" doc:"What the mail server said, when it did not take it."`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

func addressWire(x *service.Address) Address {
	return Address{Email: string(x.Email), Primary: x.Primary, VerifiedAt: timeOrNull(x.VerifiedAt), CreatedAt: x.CreatedAt.UTC()}
}

func mailWire(m *lms.Mail) Mail {
	w := Mail{
		ID: m.ID, Kind: string(m.Kind), Email: string(m.Address), State: string(m.State), Fault: m.Fault, Attempts: m.Attempts, CreatedAt: m.CreatedAt.UTC(), EndedAt: timeOrNull(m.EndedAt),
	}
	if m.UserID != lms.SystemUserID {
		w.UserID = &m.UserID
	}
	return w
}

type addressIn struct {
	Body struct {
		Email string `json:"email" maxLength:"1000"`
	}
}

type confirmIn struct {
	Body struct {
		Proof string `json:"proof" maxLength:"200" doc:"As it was answered when the code was asked for."`
		Code  string `json:"code" maxLength:"40" doc:"From the mail; capital or small, with or without the hyphen."`
	}
}

type mailsIn struct {
	Paging
	State string `query:"state" enum:"queued,sent,bounced,failed,canceled"`
}

func (a *API) registerAddresses() {
	const own = "/me/addresses"
	register(a, op(http.MethodGet, own, "list-addresses", tagAccount, "The caller's addresses", "The caller is found by each of them; others see the primary one."), a.listAddresses)
	begin := op(http.MethodPost, own, "begin-address", tagAccount, "Send a code to a further address",
		"The address is the caller's once the code has come back in the same session. Whether it is somebody else's already is not told: then its holder gets a mail, and no code is sent. In a session only. 429 when many codes went to the address.",
		http.StatusConflict, http.StatusTooManyRequests)
	begin.DefaultStatus = http.StatusAccepted
	register(a, begin, a.beginAddress)
	confirm := op(http.MethodPost, own+"/confirm", "confirm-address", tagAccount, "Add the address to which a code was sent", "In the session in which the code was asked for. Five wrong codes end it.", http.StatusConflict)
	confirm.DefaultStatus = http.StatusOK
	register(a, confirm, a.confirmAddress)
	primary := op(http.MethodPost, own+"/primary", "set-primary-address", tagAccount, "Choose the address that others see", "One of the caller's own that was proved. Both addresses are told by mail. In a session only.")
	primary.DefaultStatus = http.StatusOK
	register(a, primary, a.setPrimaryAddress)
	register(a, op(http.MethodDelete, own, "remove-address", tagAccount, "Take an address from the account", "Any but the primary one. In a session only.", http.StatusConflict), a.removeAddress)
	register(a, op(http.MethodGet, "/mails", "list-mails", tagUsers, "What became of mail", "Newest first, for administrators. Kept for 90 days."), a.listMails)
}

func (a *API) listAddresses(ctx context.Context, c *call, _ *nothing) (*page[Address], error) {
	list, err := a.svc.Addresses(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, addressWire, nil), nil
}

func (a *API) beginAddress(ctx context.Context, c *call, in *addressIn) (*answer[Proof], error) {
	secret, err := a.svc.BeginAddress(ctx, c.caller, in.Body.Email, "")
	if err != nil {
		return nil, err
	}
	p, err := a.svc.Proving(ctx, secret)
	if err != nil {
		return nil, err
	}
	return &answer[Proof]{Proof{Proof: secret, Email: string(p.Address), ExpiresAt: p.ExpiresAt.UTC(), Tries: p.Tries}}, nil
}

func (a *API) confirmAddress(ctx context.Context, c *call, in *confirmIn) (*page[Address], error) {
	if err := a.svc.ConfirmAddress(ctx, c.caller, in.Body.Proof, in.Body.Code); err != nil {
		return nil, err
	}
	return a.listAddresses(ctx, c, nil)
}

func (a *API) setPrimaryAddress(ctx context.Context, c *call, in *addressIn) (*page[Address], error) {
	if err := a.svc.MakePrimary(ctx, c.caller, in.Body.Email); err != nil {
		return nil, err
	}
	return a.listAddresses(ctx, c, nil)
}

func (a *API) removeAddress(ctx context.Context, c *call, in *addressIn) (*empty, error) {
	return nil, a.svc.RemoveAddress(ctx, c.caller, in.Body.Email)
}

func (a *API) listMails(ctx context.Context, c *call, in *mailsIn) (*page[Mail], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Mails(ctx, c.caller, lms.MailState(in.State), from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Mails, mailWire, c.next(place{id: found.Next})), nil
}
