/// Refusals that name both sides, in the manner of servers, relays and filters: the sender is news@example.com on shop.example.com, the
/// recipient bob@example.org. Most are variations of what is in `RefusalTexts`, as operators change them.
enum BothSidedTexts {
    /// Of the recipient, certainly so: we are named by the way.
    static let ofRecipients = RefusalTexts.rows(
        """
        # Gmail
        550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address \
        for typos, or review your account at https://support.google.com/mail/?p=NoSuchUser a1-20020 - gsmtp
        550 5.2.1 bob@example.org: user account is disabled, mail of news@example.com was refused
        452 4.2.2 The recipient's inbox is full; from=<news@example.com>
        550 5.1.1 The email account does not exist. See https://help.example/your-account for your account
        550 5.1.1 The address you are sending to does not exist
        # Yahoo, AOL
        554 delivery error: dd This user doesn't have a yahoo.com account (bob@example.org) [0] - from news@example.com
        554 30 Sorry, your message to bob@example.org cannot be delivered. This mailbox is disabled (554.30). See your account page.
        552 5.2.2 bob@example.org: mailbox full, message from news@example.com was not stored
        # Microsoft, Exchange
        550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@example.org not found by SMTP address lookup; from news@example.com
        550 5.1.1 Recipient <bob@example.org> unknown; contact the recipient another way if you are sure of it
        550 5.1.1 The mailbox you are trying to reach does not exist, please check your address book
        554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException; you need to contact the recipient another way
        550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 Unknown user bob@example.org; see your account
        # Postfix
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual mailbox table; from=<news@example.com> \
        to=<bob@example.org> proto=ESMTP helo=<shop.example.com>
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in local recipient table; from=<news@example.com> \
        to=<bob@example.org> proto=ESMTP helo=<shop>
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in relay recipient table; client [192.0.2.1]
        450 4.1.1 <bob@example.org>: Recipient address rejected: unverified address: host mail.example.org[192.0.2.7] said: 550 5.1.1 \
        <bob@example.org> User unknown (in reply to RCPT TO command); from=<news@example.com>
        550 5.1.1 <bob@example.org>: Recipient address rejected: example.org (user not found), from news@example.com to bob@example.org
        550 5.1.1 <bob@example.org>: Recipient address rejected: user not known, check your address book
        # Dovecot
        550 5.1.1 <bob@example.org> User doesn't exist: bob@example.org; MAIL FROM:<news@example.com>
        552 5.2.2 <bob@example.org> Quota exceeded (mailbox for user is full), ask the owner and not your account manager
        # Exim
        550 <bob@example.org>: Unrouteable address (envelope-from <news@example.com>)
        550 No such recipient here: bob@example.org (H=shop.example.com [192.0.2.1] F=<news@example.com>)
        550 No such user here. Please notify the sender.
        550 User unknown - please check your account or contact support
        550 unknown user ... please check your account
        550 unknown user; you must ask for another address
        550 no mailbox of that name for your account
        550 There is no mailbox with that name here. Your address book may be old.
        # sendmail
        550 5.1.1 <bob@example.org>... User unknown, relay=shop.example.com [192.0.2.1]
        553 5.3.0 <bob@example.org>... Addressee unknown, relay=[192.0.2.1], from=<news@example.com>
        550 5.1.1 <bob@example.org>... User unknown, you need to check the address
        # qmail
        550 sorry, no mailbox here by that name (#5.1.1 - chkuser). Check your account.
        550 sorry, that recipient does not exist (#5.7.1): recipient does not exist (from news@example.com)
        # Filters and hosts
        550 5.1.1 No such user (bob@example.org), from address news@example.com
        550 5.1.1 <bob@example.org>: user unknown (Proofpoint); envelope-from <news@example.com>
        550 cuda_nsu 5.1.1 <bob@example.org> Recipient address rejected: User unknown; please check your account settings
        550 Invalid recipient bob@example.org (#5.1.1), sent by news@example.com, see https://help.example/#550
        550 5.1.1 <bob@example.org> User unknown (Sender: news@example.com)
        550 5.1.1 user <bob@example.org> unknown. Mail returned to sender.
        550 5.1.1 <bob@example.org>: no such user. If this is an error please check that you are sending to the right address.
        550 Message was not accepted -- invalid mailbox. Local mailbox bob@example.org is unavailable: user not found. From: \
        news@example.com
        550 5.2.1 The mailbox you are trying to contact is disabled
        554 5.2.1 bob@example.org mailbox disabled; you must contact the recipient another way
        452 4.2.2 The user you are trying to contact is over quota
        550 5.1.1 <bob@example.org>: user unknown, see https://help.example/blacklist and https://help.example/relay-access-denied
        550 No such user here, see https://help.example/spf-check and https://help.example/blocked-by-us/your-ip
        550 5.1.1 <bob@example.org>: user unknown (sender was <news@example.com>), mail for bob@example.org received from shop.example.com
        550 Invalid recipient: bob@example.org. Sender of message: news@example.com
        550 5.1.1 bob@example.org: no such person, message id 12 from address news@example.com
        """)

    /// Of us, though a recipient is named, or the words are those for one.
    static let ofUs = RefusalTexts.rows(
        """
        550 5.1.1 No such user (news@example.com), recipient bob@example.org
        550 5.1.1 No such user (news@example.com)
        550 5.1.1 User unknown: news@example.com (to=<bob@example.org>)
        550 5.1.1 user <news@example.com> unknown
        550 5.1.1 <news@example.com>... User unknown
        550 5.1.1 <news@example.com>, user unknown
        550 User unknown - news@example.com
        550 User unknown. Your account has been suspended
        550 No such user, your account is closed
        550 User unknown, your host is not welcome here
        550 No such user here; you are not permitted to relay
        550 5.1.1 From address news@example.com does not exist, recipient bob@example.org not checked
        550 5.1.1 from address <news@example.com> unknown user, to <bob@example.org>
        550 Mailbox not found: sender news@example.com, recipient bob@example.org
        550 Callback for news@example.com failed (mailbox not found)
        550 Verification failed for <news@example.com>; No such user; bob@example.org not tried
        550 192.0.2.9 said of RCPT TO:<news@example.com>: 550 User unknown
        554 5.7.1 <bob@example.org>: Recipient address rejected: Client host not found
        550 5.1.1 <bob@example.org>: Recipient address rejected: Domain not found (helo=shop)
        550 5.1.1 <bob@example.org>: mail from news@example.com refused: no such user
        550 5.7.1 User unknown (sender=<news@example.com>)
        550 mailbox disabled for your account
        550 5.2.1 Your mailbox is disabled, cannot send to bob@example.org
        550 Recipient check failed: account suspended, please log in to your account
        550 5.1.1 You are not a known user; recipient bob@example.org
        550 Too many invalid recipients: your IP has been noted
        550 User not found; check your credentials
        550 5.1.1 No such user: check your login or password
        550 account disabled, please contact support about your account
        550 5.1.1 your account was not found
        550 5.1.1 Your e-mail address does not exist on this server
        550 5.1.1 the address in your From: does not exist, please check your account
        550 Mailbox full: your quota of outgoing mail is used up, bob@example.org not tried
        550 5.2.2 Over quota. Upgrade your plan to send to bob@example.org
        550 5.1.2 unknown host shop.example.com, RCPT TO:<bob@example.org> refused
        550 5.1.2 Unknown domain example.com (rcpt bob@example.org)
        550 5.1.1 unknown user news, MAIL FROM:<news@example.com> refused
        550 5.2.1 <news@example.com>: account disabled; recipient <bob@example.org> not tried
        550 bob@example.org: sender mailbox not found
        550 5.1.1 Recipient not allowed for this sender: user unknown
        550 Invalid user: SMTP authentication needed to reach bob@example.org
        # An account, a contract, an address on a list, beside a recipient's words
        550 5.1.1 Recipient address rejected: Access denied, your credit is exhausted
        550 5.1.1 <bob@example.org>: No such recipient. Service suspended for non-payment
        550 5.1.1 user unknown; connection from 203.0.113.9 is banned
        550 5.1.1 <bob@example.org>: invalid recipient (203.0.113.9 is listed by zen.example.org)
        550 5.1.1 <bob@example.org> recipient rejected by AUP of this smarthost: contract expired
        550 5.1.1 User bob@example.org unknown in sandbox: only verified recipients may be used
        550 5.1.1 invalid recipient bob@example.org: message quota of the customer used up
        550 5.1.1 Utilisateur inconnu: votre adresse IP est sur une liste noire
        550 5.1.1 <bob@example.org> Benutzer unbekannt: Ihr Konto ist gesperrt
        550 5.1.1 user not found: LDAP server down
        """)

    /// Not certainly anybody's, and no cause to pause a mailing of which the others are accepted.
    static let ofNobody = RefusalTexts.rows(
        """
        550 5.1.1 bob@example.org is not known here, please check your account
        550 5.1.1 No such user, from address news@example.com
        550 User unknown; from=<news@example.com>
        """)
}
