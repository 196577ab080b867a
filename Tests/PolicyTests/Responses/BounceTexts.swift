import Model

/// What mail servers of the world said in refusals, and the reason that people who sort bounces found in it: a selection of
/// `sisimai/set-of-emails` (BSD-2-Clause; addresses are the collection's own), each with its file there. Left out are texts of which the
/// reason stands elsewhere in the mail.
enum BounceTexts {
    struct Row: Sendable {
        var reason: ResponseReason
        var code: Int
        var text: String
        var source: String
    }

    static let all: [Row] = [
        Row(
            reason: .authentication, code: 550,
            text: "5.7.509 Access denied, sending domain [DF.EXAMPLE.JP] does not pass DMARC verification and has",
            source: "lhost-dragonfly-02.eml"),
        Row(
            reason: .authentication, code: 550, text: "Bad SPF records for [example.org:192.0.2.2], see http://spf.pobox.com/",
            source: "lhost-exim-29.eml"),
        Row(
            reason: .authentication, code: 550,
            text: "5.7.26 Unauthenticated email from libsisimai.org is not accepted due to 550-5.7.26 domain's DMA",
            source: "lhost-postfix-70.eml"),
        Row(
            reason: .authentication, code: 550,
            text: "5.7.1 This message was not accepted due to domain (libsisimai.org) owner DMARC policy (RFC 7489",
            source: "lhost-postfix-72.eml"),
        Row(
            reason: .authentication, code: 550, text: "5.7.26 The MAIL FROM domain [email.example.jp] has an SPF record with a hard fail",
            source: "lhost-sendmail-60.eml"),
        Row(
            reason: .authentication, code: 554,
            text: "5.7.1 Your message was rejected due to libsisimai.org's DMARC policy. See https://support.apple",
            source: "rhost-apple-02.eml"),
        Row(
            reason: .authentication, code: 550,
            text: "5.7.26 This mail has been blocked because the sender is unauthenticated. 550-5.7.26 Gmail requi",
            source: "rhost-google-04.eml"),
        Row(
            reason: .content, code: 550,
            text: "5.7.1 [192.0.2.222 13] Messages with multiple addresses in From: header are not accepted.",
            source: "lhost-postfix-28.eml"),
        Row(
            reason: .content, code: 550, text: "Virus Detected; Content Rejected",
            source: "lhost-postfix-62.eml"),
        Row(
            reason: .content, code: 554, text: "Transaction failed: Duplicate header 'DKIM-Signature'.",
            source: "lhost-postfix-78.eml"),
        Row(
            reason: .content, code: 500, text: "5.6.1 Message content rejected",
            source: "lhost-receivingses-06.eml"),
        Row(
            reason: .content, code: 552, text: "5.6.0 Headers too large (3 max)",
            source: "lhost-sendmail-44.eml"),
        Row(
            reason: .content, code: 550,
            text: "5.7.1 This message is not RFC 5322 compliant. There are multiple Subject 550-5.7.1 headers. To",
            source: "rhost-google-08.eml"),
        Row(
            reason: .content, code: 554, text: "email rejected due to security policies - MCSpamSignature.sa.2.2",
            source: "rhost-mimecast-02.eml"),
        Row(
            reason: .expired, code: 550, text: "5.4.316 Message expired, connection refused",
            source: "lhost-office365-08.eml"),
        Row(
            reason: .full, code: 550, text: "'5.2.2 <kijitora@example.jp>... Mailbox Full' (delivery attempts: 0)",
            source: "lhost-amazonses-03.eml"),
        Row(
            reason: .full, code: 550, text: "5.2.2 <kijitora@example.co.jp>... Mailbox Full",
            source: "lhost-aol-02.eml"),
        Row(
            reason: .full, code: 552,
            text: "5.2.2 <mailboxfull@libsisimai.net>: Recipient address rejected: Mailbox full. See https://libsi",
            source: "lhost-dragonfly-12.eml"),
        Row(
            reason: .full, code: 450, text: "450 4.2.2 <kijitora@example.jp>... Mailbox Full (state 14)=",
            source: "lhost-gmail-06.eml"),
        Row(
            reason: .full, code: 522, text: "5.2.0 Delivery failed: Over quota",
            source: "lhost-messagingserver-02.eml"),
        Row(
            reason: .full, code: 552, text: "5.2.2 Over quota",
            source: "lhost-x3-06.eml"),
        Row(
            reason: .inactive, code: 550,
            text: "5.2.1 The email account that you tried to reach is disabled. Learn more at 550 5.2.1  https://s",
            source: "lhost-amazonses-20.eml"),
        Row(
            reason: .inactive, code: 554,
            text: "delivery error: dd This account has been disabled or discontinued [#102]. - mta222.mail.neko.example",
            source: "lhost-postfix-52.eml"),
        Row(
            reason: .inactive, code: 550, text: "5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426",
            source: "rhost-franceptt-05.eml"),
        Row(
            reason: .moved, code: 550,
            text: "5.1.6 <hasmoved@libsisimai.net>: Recipient address rejected: Destination mailbox has moved, No",
            source: "lhost-dragonfly-10.eml"),
        Row(
            reason: .moved, code: 550, text: "5.1.6 recipient no longer on server: kijitora@example.go.jp",
            source: "lhost-postfix-16.eml"),
        Row(
            reason: .moved, code: 551, text: "not our user",
            source: "lhost-sendmail-17.eml"),
        Row(
            reason: .network, code: 550, text: "5.4.312 Message expired, DNS query failed",
            source: "lhost-office365-06.eml"),
        Row(
            reason: .policy, code: 550, text: "5.7.9 Rejected",
            source: "lhost-amazonses-08.eml"),
        Row(
            reason: .policy, code: 550, text: "5.7.1 can't determine Purported  Responsible Address",
            source: "lhost-courier-03.eml"),
        Row(
            reason: .policy, code: 550,
            text: "5.7.0 <policyviolation@libsisimai.net>: Recipient address rejected: Policy violation. See https",
            source: "lhost-dragonfly-18.eml"),
        Row(
            reason: .policy, code: 550, text: "5.7.1 RESOLVER.RST.AuthRequired; authentication required",
            source: "lhost-exchange2007-04.eml"),
        Row(
            reason: .policy, code: 554, text: "5.7.0 Header error",
            source: "lhost-exim-03.eml"),
        Row(
            reason: .policy, code: 550,
            text: "5.1.1 RCP-P2 http://postmaster.facebook.com/response_codes#rcp Refused due to recipient preferences",
            source: "lhost-facebook-03.eml"),
        Row(
            reason: .policy, code: 501, text: "5.1.8 Sender address rejected",
            source: "lhost-gsuite-11.eml"),
        Row(
            reason: .policy, code: 553,
            text: "5.1.8 <root@vagrant-centos65.vagrantup.com>... Domain of sender address root@vagrant-centos65.v",
            source: "lhost-postfix-11.eml"),
        Row(
            reason: .policy, code: 550, text: "Denied by policy",
            source: "lhost-postfix-42.eml"),
        Row(
            reason: .policy, code: 550, text: "5.7.1 Access denied",
            source: "lhost-postfix-54.eml"),
        Row(
            reason: .policy, code: 554,
            text: "5.7.9 Message not accepted for policy reasons. See https://postmaster.verizonmedia.com/error-co",
            source: "lhost-postfix-66.eml"),
        Row(
            reason: .policy, code: 554,
            text: "Message not allowed - 554 Message not allowed - DM Email not accepted for policy reasons. Pleas",
            source: "lhost-postfix-68.eml"),
        Row(
            reason: .policy, code: 552, text: "5.7.0 This message was blocked because its content presents a potential",
            source: "lhost-sendmail-34.eml"),
        Row(
            reason: .policy, code: 501, text: "5.1.8 Sender address rejected  [MAIL_FROM]",
            source: "lhost-yahoo-11.eml"),
        Row(
            reason: .rate, code: 452, text: "4.3.2 Connection rate limit exceeded.",
            source: "lhost-postfix-09.eml"),
        Row(
            reason: .rate, code: 552, text: "Too many recipients",
            source: "lhost-postfix-48.eml"),
        Row(
            reason: .rate, code: 550,
            text: "Connection frequency limited [Q1YzZ3kxdnRYYnpkbVZ0MAo+QTMzMTMzRjUxNzQ4Cg/MTI3MTY2MDge= Blocked",
            source: "rhost-tencent-02.eml"),
        Row(
            reason: .reputation, code: 554,
            text: "5.7.1 <a8-95.smtp-out.amazonses.com[203.0.113.22]>: Client host rejected: blocked using mail.ne",
            source: "lhost-amazonses-14.eml"),
        Row(
            reason: .reputation, code: 521,
            text: "5.7.1 Service unavailable; client [203.0.113.225] blocked using dnsbl.sorbs.net 521 5.7.1 Pleas",
            source: "lhost-amazonses-16.eml"),
        Row(
            reason: .reputation, code: 550, text: "5.7.0 <shironeko@example.jp>... Please use the smtp server of your ISP.",
            source: "lhost-exim-01.eml"),
        Row(
            reason: .reputation, code: 550, text: "Access denied...7d39d5299584f4be161127e61f5f5400...",
            source: "lhost-exim-35.eml"),
        Row(
            reason: .reputation, code: 550,
            text: "192.0.2.222 blocked by ldap:ou=nekochan,dc=example,dc=net 550 Error - Blocked for abuse. See ht",
            source: "lhost-exim-47.eml"),
        Row(
            reason: .reputation, code: 554, text: "Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.225",
            source: "lhost-postfix-38.eml"),
        Row(
            reason: .reputation, code: 550,
            text: "5.7.1 Our system has detected that this message is likely suspicious due to the very low reputation of the",
            source: "lhost-postfix-58.eml"),
        Row(
            reason: .reputation, code: 550,
            text: "5.7.606 Access denied, banned sending IP [192.0.2.225]. To request removal from this list pleas",
            source: "lhost-qmail-09.eml"),
        Row(
            reason: .reputation, code: 421,
            text: "4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user co",
            source: "lhost-qmail-19.eml"),
        Row(
            reason: .reputation, code: 550, text: "5.7.1 IP address blacklisted by recipient",
            source: "lhost-sendmail-36.eml"),
        Row(
            reason: .reputation, code: 554, text: "st11p00im-smtpin013.me.com ESMTP not accepting connections",
            source: "lhost-sendmail-56.eml"),
        Row(
            reason: .reputation, code: 451,
            text: "4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation. Fo",
            source: "rhost-microsoft-05.eml"),
        Row(
            reason: .setUp, code: 550,
            text: "5.7.25 <blocked@libsisimai.net>: Recipient address rejected: Reverse DNS validation failed: See",
            source: "lhost-dragonfly-06.eml"),
        Row(
            reason: .setUp, code: 554,
            text: "Comcast requires that all mail servers must have a PTR record with a valid Reverse DNS entry.",
            source: "lhost-exim-33.eml"),
        Row(
            reason: .setUp, code: 550,
            text: "Reason: This system will not accept messages from servers/devices with no reverse DNS. IP=[203.",
            source: "lhost-exim-39.eml"),
        Row(
            reason: .setUp, code: 450, text: "service permits 2 unverifyable sending IPs - neko.example.com is not 203.0.113.2",
            source: "lhost-exim-41.eml"),
        Row(
            reason: .setUp, code: 550,
            text: "5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for",
            source: "lhost-exim-43.eml"),
        Row(
            reason: .setUp, code: 501,
            text: "Rcpt-To validation failed: RCPT TO not accepted: 5.7.1 This system is not configured to relay m",
            source: "lhost-postfix-44.eml"),
        Row(
            reason: .setUp, code: 554,
            text: "mail.com (mxgmxus002) Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR r",
            source: "lhost-postfix-60.eml"),
        Row(
            reason: .setUp, code: 554, text: "5.7.1 <kijitora@example.org>: Relay access denied",
            source: "lhost-sendmail-07.eml"),
        Row(
            reason: .setUp, code: 503, text: "Improper sequence of commands",
            source: "rfc3464-29.eml"),
        Row(
            reason: .setUp, code: 550,
            text: "5.7.25 [192.0.2.202] The IP address sending this message does not have a 550-5.7.25 PTR record",
            source: "rhost-google-06.eml"),
        Row(
            reason: .spam, code: 550, text: "5.7.1 Message content rejected, UBE, id=00000-22-225",
            source: "lhost-barracuda-01.eml"),
        Row(
            reason: .spam, code: 550,
            text: "5.7.0 <spamdetected@libsisimai.net>: Recipient address rejected: Spam detected. See https://lib",
            source: "lhost-dragonfly-20.eml"),
        Row(
            reason: .spam, code: 550, text: "5.2.0 Mail rejete. Mail rejected. ofr_506 [506]",
            source: "lhost-einsundeins-03.eml"),
        Row(
            reason: .spam, code: 554, text: "5.7.0 Reject, id=22222-22 NekoNyaan-2y:2 - SPAM. See http://neko.nyaan.example.com/block",
            source: "lhost-exim-55.eml"),
        Row(
            reason: .system, code: 550, text: "550= 5.3.5 <kuroneko@example.org>... Internal System Error",
            source: "lhost-amazonworkmail-03.eml"),
        Row(
            reason: .system, code: 451, text: "Could not load DRD for domain (example.com) rcpt (kijitora@example.com)",
            source: "lhost-postfix-40.eml"),
        Row(
            reason: .system, code: 554, text: "Service currently unavailable",
            source: "lhost-surfcontrol-02.eml"),
        Row(
            reason: .tooLarge, code: 552,
            text: "5.2.3 <exceedlimit@libsisimai.net>: Recipient address rejected: Message length exceeds administ",
            source: "lhost-dragonfly-08.eml"),
        Row(
            reason: .tooLarge, code: 552, text: "5.2.3 Message length exceeds limit set by recipient",
            source: "lhost-receivingses-08.eml"),
        Row(
            reason: .tooLarge, code: 552, text: "5.2.3 Message size exceeds fixed maximum message size (10485760)",
            source: "lhost-sendmail-05.eml"),
        Row(
            reason: .unknown, code: 550,
            text: "5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN001_108",
            source: "rhost-franceptt-10.eml"),
        Row(
            reason: .unknownHost, code: 550, text: "5.4.4 Invalid domain",
            source: "lhost-amazonses-18.eml"),
        Row(
            reason: .unknownHost, code: 521,
            text: "5.3.2 <notaccept@libsisimai.net>: Recipient address rejected: System not accepting network mess",
            source: "lhost-dragonfly-16.eml"),
        Row(
            reason: .unknownHost, code: 554,
            text: "The mail could not be delivered to the recipient because the domain is not reachable. Please ch",
            source: "lhost-outlook-03.eml"),
        Row(
            reason: .unknownHost, code: 550, text: "Host unknown)",
            source: "lhost-sendmail-15.eml"),
        Row(
            reason: .unknownHost, code: 550, text: "5.1.2 <nekochan@libsisimai.org>... Host unknown (Name server: .: host not found)",
            source: "lhost-sendmail-42.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.1.1 <neko@example.co.jp>: Recipient address rejected: User unknown in virtual mailbox table",
            source: "lhost-amavis-02.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 user unknown",
            source: "lhost-amazonses-06.eml"),
        Row(
            reason: .unknownUser, code: 553, text: "Invalid recipient kijitora@example.org (Mode: normal)",
            source: "lhost-bigfoot-02.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 RESOLVER.ADR.RecipNotFound; not found",
            source: "lhost-exchange2007-06.eml"),
        Row(
            reason: .unknownUser, code: 553, text: "5.1.1 unknown or illegal user: kijitora@neko.example.co.jp",
            source: "lhost-exim-05.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 unknown or illegal alias: kijitora@icloud.example.com",
            source: "lhost-exim-59.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.0 Address rejected.",
            source: "lhost-gsuite-01.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 <kijitora@example.jp>... Invalid recipient",
            source: "lhost-interscanmss-03.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "kijitora@example.com... No such user",
            source: "lhost-mcafee-04.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 Unknown user azu",
            source: "lhost-office365-10.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.1.1 http://support.google.com/mail/bin/answer.py?answer=6596 ad1si1997204pbd.83 - gsmtp",
            source: "lhost-opensmtpd-01.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "Requested action not taken: mailbox unavailable (-0000000022:2222:-0000000022)",
            source: "lhost-outlook-08.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.4.1 [kijitora@example.br]: Recipient address rejected: Access denied [BL2NAM02FT061.eop-nam02",
            source: "lhost-postfix-30.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "User not found",
            source: "lhost-postfix-76.eml"),
        Row(
            reason: .unknownUser, code: 554,
            text: "delivery error: dd This user doesn't have a example.com account (kijitora@example.com) [0] - mt",
            source: "lhost-powermta-02.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "Unknown user kijitora@example.ne.jp",
            source: "lhost-qmail-01.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.1.1 <this-local-part-does-not-exist-on-the-server@example.jp>... User Unknown  in RCPT TO",
            source: "lhost-sendgrid-02.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "unknown user",
            source: "lhost-sendmail-26.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416",
            source: "lhost-sendmail-46.eml"),
        Row(
            reason: .unknownUser, code: 553, text: "5.3.0 <kijitora@example.com>... No such user here",
            source: "lhost-x3-01.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 <kijitora@example.org>... User Unknown [RCPT_TO]",
            source: "lhost-yahoo-01.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 <pseudo-local-part-of-icloud@icloud.com>: inactive email address",
            source: "rhost-apple-04.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
            source: "rhost-franceptt-01.eml"),
        Row(
            reason: .unknownUser, code: 550,
            text: "5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-che",
            source: "rhost-google-02.eml"),
        Row(
            reason: .unknownUser, code: 550, text: "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            source: "rhost-microsoft-03.eml"),
    ]
}
