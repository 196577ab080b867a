/// The words by which servers and gateways name the two sides of a delivery, in small letters. A space is the edge of a word, and
/// stands for an apostrophe.
extension ResponseClause {
    /// What is said of our account or address, and not to us by the way.
    static let statementsOfAccount: [String] = [
        "your account", "your address", "your email address", "your e-mail address", "from address",
    ]
    .flatMap { noun in ["is", "has", "was", "does", "can", "may", "must", "will", "not "].map { "\(noun) \($0)" } }

    /// Whoever says such a word speaks of the one who sends.
    static let statements: [TextPattern] =
        ([
            "sender", "sending", "send as", "mail from", "mailfrom", "invalid from", "from number", "from phone", "from domain",
            "from header", "header from",
            "envelope from", "return path", "return-path", "reverse path", "reverse-path", "originat", " helo", " ehlo", "outbound",
            "outgoing", "submission", "client", "credential", "password", "username", "authenticat", "login", "logon", " log in", "api key",
            "template", "parameter", " tenant", "subscription", " plan ", "licen", "billing", "activate your", "verify your account",
            "upgrade your", "your domain", "your host", "your ip", "your server", "your mailbox", "your quota", "your limit",
            "your organi", "your user", "disabled for your", "suspended for your", "closed for your", "available for your",
            "enabled for your", "you are not", "you re not", "you are blocked", "you are banned", "you have exceeded", "you have reached",
            "not allowed to", "absender",
            "credit is", "credit has", "your credit", "no credit", "insufficient credit", "payment", "unpaid", "is banned", "been banned",
            "is listed by", "is listed in", "is listed on", "contract", "sandbox", "smarthost", " ldap", "of the customer",
            "votre adresse ip", "votre ip", "votre domaine", "votre serveur", "votre compte", "liste noire", "ihr konto", "ihre domain",
            "ihre ip", "ihr server", " su ip", " su dominio", " su servidor", " seu ip", " tuo ip",
            "expediteur", "expéditeur", "emetteur", "émetteur", "remitente", "remetente", "mittente", "nadawc", "отправител",
        ] + statementsOfAccount).map { TextPattern(known: $0) }

    /// Words for our side that may be advice, or a note of where the message is from.
    static let mentions: [TextPattern] = [
        "from address", " from: ", "your account", "your address", "your email address", "your e-mail address", " you are ", " you must",
        " you need", " you may not", " you cannot", " you can t ",
    ].map { TextPattern(known: $0) }

    /// Words for nobody but the recipient.
    static let wordsOfRecipient: [TextPattern] = [
        "recipient", " rcpt", "addressee", "destination", "tried to reach", "delivery error: dd", "empfänger", "empfaenger",
        "destinataire", "destinatario", "destinatário", "получател",
    ].map { TextPattern(known: $0) }

    /// Words that are the recipient's where our side is not named.
    static let wordsOfMailboxes: [TextPattern] = [
        "mailbox", "inbox", "email account", "e-mail account", "local part", "local-part", "phone", "msisdn", "subscriber", "mobile",
        " chat", "device", "registration token",
    ].map { TextPattern(known: $0) }

    /// Phrases that describe the recipient by what the sender did. They say nothing of the sender.
    static let remarksOnRecipient = [
        "you are trying to reach", "you are trying to contact", "you are trying to send to", "you are trying to email",
        "you re trying to reach", "you re trying to contact", "you tried to reach", "you tried to contact", "you attempted to reach",
        "you attempted to contact", "you are sending to", "you re sending to", "you are writing to", "you wish to contact",
    ]

    /// Phrases that say nothing of the sender or the recipient.
    static let remarks = [
        "return to sender", "returned to sender", "returning to sender", "returning message to sender", "return to the sender",
        "returned to the sender", " if you are ", "notify the sender", "inform the sender", "before sending", "try sending", "resending",
        "sending again",
    ]

    /// A phrase that says nothing where the recipient is named beside it: "no mailbox of that name for your account".
    static let remarkOnAccount = " for your account "

    /// What stands before a name in a note of the envelope.
    static let labels: Set<String> = [
        "from", "to", "by", "at", "via", "sender", "recipient", "rcpt", "mail", "email", "e-mail", "envelope", "envelope-from", "mfrom",
        "helo", "ehlo", "client", "host", "hostname", "ip", "address", "addr", "domain", "relay", "proto", "port", "id", "session",
        "return", "path", "return-path", "reverse-path", "orig_to", "server", "h", "f", "message",
        "sent", "received", "of", "for", "with", "was", "on",
    ]
}
