/// Refusals in the words of the servers that gave them, a line each: the reply code, the enhanced code where there is one, and the text.
/// They are from the pages of providers, the sources of servers, public logs and the bounces of `BounceTexts`; names are examples.
enum RefusalTexts {
    struct Row: Sendable {
        var code: Int
        /// With the enhanced code in front where there is one.
        var text: String

        /// Without the enhanced code.
        var bare: String {
            let words = text.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0].count >= 5, words[0].allSatisfy({ $0.isNumber || $0 == "." }) else { return text }
            return String(words[1])
        }
    }

    /// Lines that begin with `#` say whose the next ones are.
    static func rows(_ text: String) -> [Row] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            Row(code: Int(line.prefix(3)) ?? 0, text: String(line.dropFirst(4)))
        }
    }

    /// Of whoever sends, many with a recipient's word in them. The sender is news@example.com, its host shop.example.com.
    static let ofUs = rows(
        """
        # Gmail
        550 5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with \
        either SPF or DKIM.
        550 5.7.25 The IP address sending this message does not have a PTR record setup, or the corresponding forward DNS entry does \
        not match the sending IP.
        550 5.7.1 [192.0.2.1] Our system has detected an unusual rate of unsolicited mail originating from your IP address.
        550 5.7.1 The IP you're using to send mail is not authorized to send email directly to our servers. Please use the SMTP relay \
        at your service provider instead.
        550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent.
        550 5.4.5 Daily user sending quota exceeded. 98e67ed59e1d1-2c5a
        550 5.7.1 Daily SMTP relay sending limit exceeded for this customer
        550 5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've registered in your Workspace SMTP Relay service \
        doesn't match the domain of the account this email is being sent from.
        550 5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay for one of the domains in: example.com
        530 5.7.0 Authentication Required. For more information, go to https://support.google.com/accounts/troubleshooter/2402620
        550 5.7.1 This message does not pass authentication checks (SPF and DKIM both do not pass). SPF check for [example.com] does \
        not pass with ip: [192.0.2.1].
        550 5.7.29 This message was not sent over a TLS connection. Gmail requires all bulk email senders to use TLS/SSL for SMTP \
        connections.
        # Microsoft
        550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of \
        their network is on our block list (S3140).
        550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit \
        https://sender.office.com/
        550 5.7.501 Access denied, spam abuse detected
        550 5.7.503 Access denied, banned sender. For more information please go to https://go.microsoft.com/fwlink/?LinkId=526653
        550 5.7.506 Access Denied, Bad HELO.
        550 5.7.508 Access denied, [192.0.2.1] has exceeded permitted limits within IPv4 range
        550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification and has a DMARC policy of reject.
        550 5.7.511 Access denied, banned sender[192.0.2.1]. To request removal from this list, forward this message to \
        delist@microsoft.com.
        550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.
        550 5.7.64 TenantAttribution; Relay Access Denied SMTP
        550 5.7.705 Access denied, tenant has exceeded threshold
        550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.
        550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.
        550 5.1.8 Access denied, bad outbound sender AS(42004)
        550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients
        550 5.7.23 The message was rejected because of Sender Policy Framework violation
        530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM
        550 5.7.60 SMTP; Client does not have permissions to send as this sender
        550 5.7.68 TenantInboundAttribution; Inbound client not authorized
        554 5.2.252 SendAsDenied; news@example.com not allowed to send as news@example.com; \
        STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied
        550 5.7.520 Message blocked because it contains content identified as spam. Your organization does not allow external \
        forwarding for this sender.
        451 4.7.500 Server busy. Please try again later from [192.0.2.1]. Sender is throttled.
        # Exchange
        550 5.7.1 Unable to relay
        550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
        550 5.7.1 Client was not authenticated
        550 5.7.1 Sender ID (PRA) Not Permitted
        554 5.1.0 Sender denied
        550 5.1.0 Sender denied as sender's email address is on SenderFilterConfig list
        550 5.7.1 External client with IP address 192.0.2.1 does not have permissions to submit to this server
        # Yahoo, AOL
        553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list; see \
        http://postmaster.yahoo.com/550-bl23.html
        554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes
        553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.
        550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with \
        either SPF or DKIM.
        554 Message not allowed - [PH01] Email not accepted for policy reasons.
        553 From address not verified - see http://help.yahoo.com/kb/index?locale=en_US&page=content&id=SLN3173
        # Postfix
        554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied
        450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]
        504 5.5.2 <shop>: Helo command rejected: need fully-qualified hostname
        550 5.7.1 <shop.example.com>: Helo command rejected: Host not found
        450 4.7.1 <shop.example.com>: Helo command rejected: Host not found
        550 5.1.8 <news@example.com>: Sender address rejected: Domain not found
        450 4.1.8 <news@example.com>: Sender address rejected: Domain not found
        550 5.1.0 <news@example.com>: Sender address rejected: User unknown in local recipient table
        550 5.1.0 <news@example.com>: Sender address rejected: User unknown in virtual mailbox table
        550 5.1.7 <news@example.com>: Sender address rejected: undeliverable address: host mx.example.com[192.0.2.1] said: 550 5.1.1 \
        <news@example.com>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)
        553 5.7.1 <news@example.com>: Sender address rejected: not logged in
        553 5.7.1 <news@example.com>: Sender address rejected: not owned by user shop
        554 5.7.1 <bob@example.org>: Relay access denied
        530 5.7.0 Must issue a STARTTLS command first
        550 5.7.23 <bob@example.org>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see \
        http://www.openspf.net/Why?s=mfrom;id=news@example.com
        554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; \
        https://www.spamhaus.org/query/ip/192.0.2.1
        554 5.7.1 Service unavailable; Sender address [news@example.com] blocked using dbl.spamhaus.org
        554 5.7.1 <bob@example.org>: Recipient address rejected: You have exceeded your Outmail quota.
        550 5.7.27 <news@example.com>: Sender address rejected: Domain example.com does not accept mail (nullMX)
        554 5.7.1 <bob@example.org>: Recipient address rejected: Sender is not allowed to relay
        # Exim
        550 relay not permitted
        550 Verification failed for <news@example.com> 550-Unrouteable address 550 Sender verify failed
        550 Verification failed for <news@example.com> 550-Called: 192.0.2.1 550-Sent: RCPT TO:<news@example.com> 550-Response: 550 \
        5.1.1 User unknown 550 Sender verify failed
        550 Sender verify failed
        550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)
        550 REJECTED - Bad HELO - Host impersonating [192.0.2.1]
        550 Authentication required
        550 Please turn on SMTP Authentication in your mail client. shop.example.com [192.0.2.1] is not permitted to relay through \
        this server without authentication.
        550 Domain example.com has exceeded the max emails per hour (150/100 (150%)) allowed. Message discarded.
        550 Sender has no A, AAAA, or MX DNS records. mail.example.com l:shop
        550 rejected because 192.0.2.1 is in a black list at zen.spamhaus.org
        550 Your host is not allowed to connect: user unknown to this system
        # Mimecast
        550 Account outbounds disabled
        550 Account service is disabled
        550 Rejected by header based Anti-Spoofing policy: news@example.com - https://community.mimecast.com/docs/DOC-1369#550
        550 DMARC Sender Invalid - envelope rejected - https://community.mimecast.com/docs/DOC-1369#550
        550 SPF Sender Invalid - envelope rejected - https://community.mimecast.com/docs/DOC-1369#550
        554 Host network not allowed
        550 Exceeding outbound thread limit
        421 Sender address blocked
        # Proofpoint
        554 5.7.1 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1
        550 5.7.0 Local Policy Violation
        550 5.7.1 Delivery not authorized, message refused: sender blocked
        554 5.7.0 Sender domain does not exist
        # mail.ru
        550 Access to this account is disabled.
        550 message sending for this account is disabled
        550 not local sender over smtp
        550 Sorry, we do not accept mail from hosts with dynamic IP or generic DNS PTR-records. Please get a custom reverse DNS name \
        from your ISP for your host 192.0.2.1
        550 5.7.1 This message was not accepted due to domain (example.com) owner DMARC policy (RFC 7489)
        # Yandex
        553 5.7.1 Sender address rejected: not owned by auth user.
        554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc
        550 5.7.0 Sender account is blocked for sending spam
        # QQ, 163 and others of China
        550 Sender frequency limited. http://service.exmail.qq.com/cgi-bin/help?subtype=1&id=20022&no=1000723
        550 Suspected spam sender.
        550 DMARC check failed http://service.mail.qq.com/cgi-bin/help?subtype=1&no=1001508&id=16
        550 Domain may not exist or DNS check failed http://service.mail.qq.com/cgi-bin/help?subtype=1&id=20022&no=1001500
        550 Connection frequency limited
        501 Mail from address must be same as authorization user.
        553 Mail from must equal authorized user
        554 DT:SPM 163 smtp8,DMCowAD3, please see http://mail.163.com/help/help_spam_16.htm
        553 Requested mail action not taken: NULL sender is not allowed
        553 local user only, authentication is required
        550 Requested mail action not taken: Fake sender
        550 sender is rejected
        554 IP is rejected, smtp auth error limit exceed
        553 mail from invalid: user unknown
        # T-Online
        554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)
        550 5.7.0 Absenderadresse nicht erlaubt: Domain unbekannt, unknown domain
        554 IP=192.0.2.1 - None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.de for reset.
        # GMX, WEB.DE, 1&1
        554 gmx.net (mxgmx001) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is black listed.
        550 Requested action not taken: mailbox unavailable 550-Sender address is not allowed.
        554 Transaction failed 554-Unauthorized sender address.
        450 Requested mail action not taken: mailbox unavailable 450-Mail send limit exceeded.
        554 Transaction failed Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/de/error-messages
        # iCloud
        550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137
        550 5.7.0 From address is not one of your addresses.
        554 5.7.1 Your message was rejected due to example.com's DMARC policy. See https://support.apple.com/en-us/HT204137
        # Zoho, Zimbra
        553 Relaying disallowed as news@example.com
        550 5.4.6 Unusual sending activity detected. Please try after sometime
        550 Mail rejected: sender account is suspended
        # qmail
        553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
        553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)
        553 sorry, your envelope sender domain must exist (#5.7.1)
        550 sorry, your envelope sender has been denied (#5.7.1 - chkuser)
        511 sorry, can't find a valid MX for sender domain (#5.1.1 - chkuser)
        553 sorry, this account is not allowed to send mail (#5.7.1)
        # sendmail
        550 5.7.1 <bob@example.org>... Relaying denied
        501 5.1.8 <news@example.com>... Domain of sender address news@example.com does not exist
        451 4.1.8 Domain of sender address news@example.com does not resolve
        550 5.7.1 <bob@example.org>... Relaying denied. IP name lookup failed [192.0.2.1]
        553 5.5.4 <news>... Domain name required for sender address news
        501 5.0.0 Invalid domain name in HELO
        550 5.7.1 Rejected: 192.0.2.1 listed at sbl.spamhaus.org
        # Relays and their accounts
        554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: \
        news@example.com
        550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.
        451 Authentication failed: Maximum credits exceeded
        554 Domain example.com is not allowed to send: Please activate your Mailgun account.
        525 5.7.1 Unauthorized IP address
        502 5.7.0 Please authenticate first
        550 5.7.1 relaying denied - Unconfigured Sending Domain <example.com>
        550 5.7.1 Unauthenticated senders not allowed
        550 5.7.1 Sending domain does not exist
        550 Invalid domain in MAIL FROM
        550 unknown domain in MAIL FROM
        550 5.7.1 Message rejected: Host not found (helo=shop)
        550 Host not found: cannot resolve your helo
        550 User unknown: sender news@example.com not local
        550 5.1.1 sender mailbox not found
        550 Sender's mailbox does not exist
        550 5.7.1 Account is disabled for sending
        550 you are not a registered sender here
        550 Invalid user credentials
        550 Over quota: monthly plan
        550 5.1.1 <news@example.com>: User unknown
        550 5.2.1 news@example.com: mailbox disabled
        550 No such user: news@example.com
        550 5.1.2 example.com: Host unknown
        550 Unknown host shop.example.com
        550 unknown host
        550 account suspended
        550 account locked
        550 not a registered address
        501 5.1.0 Emetteur invalide. Invalid Sender. OFR_405 [405]
        550 5.1.0 Mittente sconosciuto: user unknown
        550 Remitente desconocido, unknown user
        554 5.7.1 <bob@example.org>: Weiterleitung verweigert
        550 5.7.1 Relaying nicht erlaubt
        550 Relais refusé
        550 5.7.1 Relay no permitido
        550 Relay non consentito
        554 5.7.1 Relay geweigerd
        550 Przekazywanie zabronione
        550 Relay não permitido
        550 Пересылка запрещена
        550 5.1.1 Not authorized
        550 5.1.1 Unauthorised
        550 5.1.2 Host unknown (Name server: relay.local.: host not found)
        """)

    /// Of whoever sends, in words that pause the mailing, or slow it down, when ten are alike.
    static let ofUsForEverybody = rows(
        """
        550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.
        550 5.7.501 Service unavailable. Spam abuse detected from IP range
        550 5.7.705 Access denied, tenant has exceeded threshold
        550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains
        550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain.
        554 Access denied: User `shop' is not authorized to perform `ses:SendRawEmail' on resource `identity/example.com'
        550 5.7.1 Usage limit exceeded
        553 Mail from must equal authorized user
        550 User has no permission
        554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)
        550 5.5.0 Envoi refuse. Acces refuse. Sending refused. Access denied. LPN007_510
        550 5.7.1 mittente non autorizzato
        553 remitente no autorizado
        554 remetente bloqueado
        550 Absender nicht berechtigt
        550 afzender geweigerd
        550 REJECTED - Bad HELO - Host impersonating domain name [example.com]
        550 Domain example.com has exceeded the max defers and failures per hour (5/5 (100%)) allowed. Message discarded.
        553 5.3.0 <news@example.com>... Spammer: rejected
        550 Rejected by header based Anti-Spoofing policy: news@example.com - https://community.mimecast.com/docs/DOC-1369#550
        550 submitter failed to authenticate
        554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1
        554 Your access to this mail system has been rejected. If you believe that this is in error, please contact the intended recipient
        550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.
        553 you are trying to use me [server-5.example] to relay, but I have not been configured to let you do this.
        553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.
        521 5.2.1 :  (CON:B1)  https://postmaster.example/error-codes#554conb1
        550 SC-001 (BAY004-MC1F39) Unfortunately, messages from 192.0.2.1 weren't sent.
        550 5.4.6 Unusual sending activity detected. Please try after sometime
        550 Sender news@example.com is not valid; validate your sender or authenticate your domain
        554 5.7.1 <bob@example.org>: Recipient address rejected: Policy Rejection: Quota exceeded.
        553 5.7.1 Your DNS is misconfigured: no MX record found for the domain of your address
        550 Your message was rejected: the domain in your From header does not exist
        550 5.1.1 Account limit reached: please upgrade
        550 Unknown user shop: SMTP service not enabled
        550 5.1.1 No such account: relay token expired
        552 5.2.2 Your mailbox is over quota; you cannot send until you free space
        550 5.1.2 Bad domain name in EHLO
        554 5.7.1 <bob@example.org>: Weiterleitung verweigert
        550 5.7.1 Relaying nicht erlaubt
        550 Relais refusé
        550 5.7.1 Relay no permitido
        550 Relay non consentito
        554 5.7.1 Relay geweigerd
        550 Przekazywanie zabronione
        550 Relay não permitido
        550 Пересылка запрещена
        """)

    /// Of a recipient, certainly so by the text alone.
    static let ofRecipients = rows(
        """
        # Gmail
        550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address \
        for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser a1-20020 - gsmtp
        550 5.2.1 The email account that you tried to reach is disabled. For more information, go to \
        https://support.google.com/mail/?p=DisabledUser
        550 5.2.1 The email account that you tried to reach is inactive. For more information, go to \
        https://support.google.com/mail/?p=DisabledUser
        452 4.2.2 The email account that you tried to reach is over quota. Please direct the recipient to \
        https://support.google.com/mail/?p=OverQuotaTemp
        452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to \
        https://support.google.com/mail/?p=OverQuotaTemp
        552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to \
        https://support.google.com/mail/?p=OverQuotaPerm
        # Microsoft, Exchange
        550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@example.org not found by SMTP address lookup
        550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
        550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 Unknown user bob@example.org
        550 5.1.1 User unknown
        552 5.2.2 STOREDRV.Deliver; mailbox full. The following information should help identify the cause of this delivery failure
        554 5.2.1 mailbox disabled. STOREDRV.Deliver
        554 5.2.2 mailbox is full
        # Yahoo, AOL, Verizon
        552 1 Requested mail action aborted, mailbox not found
        554 delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0] - mta4185.mail.ne1.yahoo.com
        554 30 Sorry, your message to bob@yahoo.com cannot be delivered. This mailbox is disabled (554.30).
        554 delivery error: dd Sorry your message to bob@yahoo.com cannot be delivered. This account has been disabled or discontinued \
        [#102]. - mta173.mail.tpe.domain.com
        550 5.1.1 <bob@example.org>... User Unknown
        # Postfix
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in local recipient table
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual mailbox table
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in virtual alias table
        550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in relay recipient table
        550 5.1.1 <bob@example.org>: Recipient address rejected: undeliverable address: host 192.0.2.1[192.0.2.1] said: 550 5.1.1 \
        <bob@example.org>: Recipient address rejected: User unknown (in reply to RCPT TO command)
        550 5.1.2 <bob@example.org>: Recipient address rejected: Domain not found
        554 5.7.1 <bob@example.org>: Recipient address rejected: No such user
        552 5.2.2 <bob@example.org>: Recipient address rejected: Mailbox full
        554 5.2.2 <bob@example.org>: Recipient address rejected: Quota exceeded (mailbox for user is full)
        450 4.1.1 <bob@example.org>: Recipient address rejected: unverified address: user unknown
        550 5.1.6 <bob@example.org>: Recipient address rejected: User has moved to somewhere else
        # Dovecot
        550 5.1.1 <bob@example.org> User doesn't exist: bob@example.org
        552 5.2.2 <bob@example.org> Quota exceeded (mailbox for user is full)
        # Exim
        550 Unrouteable address
        550 No Such User Here
        550 no such address here
        550 unknown user
        550 Unknown user: bob@example.org
        550 User unknown
        550 5.1.1 bob@example.org: no such user
        550 No such recipient here
        550 mailbox is full
        552 Mailbox limit exceeded for this email address: quota exceeded, mailbox full
        # sendmail
        550 5.1.1 <bob@example.org>... User unknown
        553 5.3.0 <bob@example.org>... No such user here
        553 5.3.0 <bob@example.org>... Addressee unknown, relay=[192.0.2.1]
        550 5.2.1 <bob@prodigy.net>... Addressee unknown, relay=[192.0.2.1]
        550 5.1.2 <bob@example.org>... Host unknown (Name server: example.org: host not found)
        552 5.2.2 <bob@example.org>... Mailbox full
        550 5.1.1 bob... User Unknown [RCPT_TO]
        # qmail
        553 sorry, no mailbox here by that name (#5.7.1)
        550 sorry, no mailbox here by that name. (#5.7.17)
        511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
        522 sorry, recipient mailbox is full (#5.2.2 - chkuser)
        550 sorry, that recipient does not exist (#5.7.1): recipient does not exist
        # Filters and hosts of companies
        550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550
        550 5.1.1 <bob@example.org>: user unknown (Proofpoint)
        550 cuda_nsu 5.1.1 <bob@example.org> Recipient address rejected: User unknown
        550 No such user (bob@example.org)
        550 bob@example.org... No such user
        550 5.1.1 <bob@example.org>... Invalid recipient
        554 Recipient unknown
        550 Mailbox does not exist
        550 User bob@example.org does not exist: no such mailbox
        550 User is unknown
        550 recipient unrecognized
        550 Invalid mailbox bob@example.org
        550 not a valid mailbox
        554 User bob (bob@example.org) not listed in Domino Directory
        550 5.1.1 unknown or illegal user: bob@example.org
        553 5.1.1 unknown or illegal alias: bob@example.org
        550 5.1.1 bad destination mailbox address
        550 5.1.1 user invalid
        550 <bob@example.org>: inactive user
        550 bob@example.org: this account has been disabled
        550 <bob@example.org>... User account is disabled
        551 5.2.1 <bob@example.org> is a deactivated mailbox
        550 5.2.1 mailbox has been suspended
        # mail.ru, Yandex, QQ, 163
        550 Message was not accepted -- invalid mailbox. Local mailbox bob@mail.ru is unavailable: user not found
        550 Message was not accepted -- invalid mailbox. Local mailbox bob@mail.ru is unavailable: account is disabled
        550 5.7.1 No such user!
        550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&id=20022&no=1000728
        550 User not found: bob@163.com
        550 RP:USR User not exist
        # T-Online, GMX, WEB.DE, 1&1, iCloud, Comcast, Orange, La Poste, Zoho, Facebook, docomo
        550 5.1.1 bob@t-online.de unknown recipient
        552 Requested mail action aborted: exceeded storage allocation 552-Quota exceeded. The recipient mailbox is full.
        550 5.1.1 <bob@icloud.com>: inactive email address
        550 5.1.1 unknown or illegal alias: bob@icloud.com
        550 5.1.6 recipient no longer on server: bob@mac.com
        552 5.2.2 <bob@example.org>: user is over quota
        550 5.1.1 Not our Customer
        551 not our customer
        550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
        550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416
        550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426
        552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]
        550 5.1.1 <bob@zoho.com> User unknown
        550 Unknown user bob@docomo.ne.jp
        550 5.1.1 Utilisateur inconnu
        550 5.1.1 Destinatario sconosciuto
        550 5.1.1 Unbekannter Benutzer
        550 Empfänger unbekannt
        550 Destinataire inconnu
        550 5.1.1 Usuario desconocido
        550 Utente sconosciuto
        550 Onbekende gebruiker
        550 Nieznany użytkownik
        550 5.1.1 Usuário desconhecido
        550 Пользователь не найден
        550 5.1.1 Неизвестный пользователь
        550 5.1.2 <bob@example.org>... Host unknown (Name server: example.org.: host not found)
        """)

    /// Of a recipient, certainly so by the enhanced code.
    static let ofRecipientsByCode = rows(
        """
        553 5.1.2 We weren't able to find the recipient domain. Please check for any spelling errors, and make sure you didn't enter \
        any spaces, periods, or other punctuation after the recipient's email address.
        550 5.4.310 DNS domain example.org does not exist [Message=InfoDomainNonexistent] recipient bob@example.org
        550 5.1.1 <bob@aol.com>: Recipient address rejected: aol.com
        556 5.1.10 <bob@example.org>: Recipient address rejected: Domain example.org does not accept mail (nullMX)
        """)
}
