import Model

/// What servers say of recipients. None of these rules fits a text that speaks of our side (`ResponseClauses`).
extension ResponseTable {
    static let recipients: [ResponseRule] = [
        smtp(
            .codes(500...599, says: ["recipient preferences", "recipient's preferences"]), .policy, "the person does not want it (Facebook)"
        ),
        smtp(
            .codes(
                400...599,
                says: [
                    "mailbox full", "mailbox is full", "mailfolder is full", "over its quota", "inbox is full", "mailbox * exceeded",
                    "exceeded storage allocation",
                ]), .full, "a full mailbox may be emptied"),
        smtp(
            .codes(
                400...599,
                says: [
                    "over quota", "overquota", "quota exceeded", "exceeded * quota", "exceeds * quota", "out of storage",
                    "quota is exceeded",
                ]), .full, certainty: .whereRecipientIsNamed, "a full mailbox may be emptied; a quota may be ours"),
        smtp(
            .codes(
                400...599,
                says: [
                    "user unknown", "unknown user", "user not found", "no such user", "no such recipient", "no such mailbox",
                    "no such address",
                    "recipient unknown", "unknown recipient", "recipient not found", "recipnotfound", "recipientnotfound",
                    "addressee unknown", "user is unknown", "recipient unrecognized", "mailbox not found", "mailbox does not exist",
                    "mailbox doesn't exist", "user does not exist", "user doesn't exist", "user not exist", "user doesn't have",
                    "tried to reach does not exist", "recipient does not exist", "invalid recipient", "invalid mailbox", "no mailbox here",
                    "no mailbox by that name", "no mailbox of that name", "no mailbox with that name", "no such person", "user not known",
                    "user is not known", "to reach does not exist", "to contact does not exist", "mailbox not exist",
                    "not a valid mailbox", "not a known user", "not a valid user", "unrouteable address",
                    "bad destination mailbox", "unknown mailbox", "mailbox unknown", "unknown local", "destinataire invalide",
                    "inactive email address", "user invalid", "invalid user", "not our customer", "unknown or illegal user",
                    "unknown or illegal alias",
                ] + ForeignWords.unknownUser), .unknownUser, "no such mailbox"),
        smtp(
            .codes(
                400...599,
                says: [
                    "no such account", "account does not exist", "address does not exist", "address doesn't exist", "unknown address",
                    "address unknown", "not a registered", "account not found", "address not found", "no longer exists", "not listed in",
                    "no account by that name", "unknown or illegal",
                ]), .unknownUser, certainty: .whereRecipientIsNamed, "no such mailbox; an account or address may be ours"),
        smtp(
            .codes(400...599, says: ["has moved", "no forwarding address", "no longer on server", "has changed address", "mailbox moved"]),
            .moved, certainty: .whereRecipientIsNamed, "the recipient has another address"),
        smtp(
            .codes(
                400...599,
                says: [
                    "mailbox * disabled", "mailbox disabled", "mailbox * inactive", "inactive mailbox", "mailbox * suspended",
                    "mailbox is frozen", "user * inactive", "inactive user", "user disabled", "user is disabled", "user account disabled",
                    "user account is disabled", "recipient account is blocked", "delivery error: dd * discontinued", "deactivated mailbox",
                    "inactive recipient",
                ]), .inactive, "the mailbox is closed"),
        smtp(
            .codes(
                400...599,
                says: [
                    "account * disabled", "user * disabled", "account disabled", "account * inactive", "inactive account",
                    "account * suspended", "user * suspended", "account * deactivated", "discontinued", "account * closed",
                    "account is blocked", "account * locked", "account expired", "account has expired",
                ]), .inactive, certainty: .whereRecipientIsNamed, "an account is closed, which may be ours"),
        smtp(
            .codes(400...599, says: ["host unknown*name server:"]), .unknownHost, certainty: .whereWordsNameRecipient,
            "sendmail names the host that it looked for, which may be a relay of its own"),
        smtp(
            .codes(
                400...599,
                says: [
                    "host unknown", "unknown host", "host not found", "no such host", "domain not found", "domain does not exist",
                    "domain doesn't exist", "no such domain", "unknown domain", "invalid domain", "domain is not reachable", "null mx",
                    "domain has no mail", "not accepting network messages", "domain not hosted",
                ]), .unknownHost, certainty: .whereRecipientIsNamed, "no such domain, or it takes no mail; it may be ours"),
        smtp(
            .codes(400...599, says: ["mailbox unavailable"]), .unknownUser, certainty: .never,
            "RFC 5321's own words for 550, also for a refusal of policy; Outlook means an unknown user"),
        smtp(
            .codes(500...599, says: ["not authorized", "not authorised", "unauthorized", "unauthorised"]), .policy, certainty: .never,
            "a refusal of policy or of us, whatever the enhanced code says"),
        smtp(.codes(500...599, enhanced: ["5.2.2"]), .full, "a full mailbox may be emptied"),
        smtp(.codes(400...499, enhanced: ["4.2.2"]), .full, "a full mailbox may be emptied"),
        smtp(.codes(400...599, enhanced: ["5.1.1", "5.1.3", "4.1.1"]), .unknownUser, "no such mailbox (RFC 3463)"),
        smtp(.codes(400...599, enhanced: ["5.1.351"]), .unknownUser, "Microsoft: the remote server knows no such recipient"),
        smtp(.codes(500...599, enhanced: ["5.1.6"]), .moved, "the mailbox has moved, and left no address"),
        smtp(.codes(500...599, enhanced: ["5.2.1"]), .inactive, "the mailbox is disabled"),
        smtp(.codes(500...599, enhanced: ["5.1.2", "5.1.10"]), .unknownHost, "no such domain, or one that takes no mail (RFC 7505)"),
        smtp(
            .codes(500...599, enhanced: ["5.4.1"], at: [.rcpt]), .unknownUser, certainty: .never,
            "Exchange Online says 5.4.1 of unknown users, and of domains that it does not know"),
        smtp(
            .codes(500...599, enhanced: ["5.4.4", "5.4.310"]), .unknownHost, certainty: .whereRecipientIsNamed,
            "nobody takes mail for the domain"),
    ]
}
