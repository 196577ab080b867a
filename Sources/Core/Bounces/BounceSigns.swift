/// Who sent a mail that came to us: a server that reports, a machine that answers for a person, or a person.
struct BounceSigns {
    let isBounce: Bool
    let isAutomatic: Bool
    /// A complaint that some provider writes as a text, without the report of RFC 5965.
    let isComplaintText: Bool

    /// From whom servers report.
    private static let senders = [
        "mailer-daemon", "post_master", "mailer_daemon", "mailerdaemon", "postmaster", "mail delivery", "mail-daemon", "delivery subsystem",
        "mail administrator",
        "mail.delivery", "bounce", "no-reply@mail", "mail system", "mmdf", "mail server", "mrelay", "uucp", "smtpd", "mail router",
    ]
    private static let subjects = [
        "undeliver", "returned mail", "returned to sender", "return to sender", "failure notice", "delivery status", "delivery failure",
        "delivery failed",
        "delivery problem", "delivery report", "delivery notification", "delivery error", "delivery incomplete", "delivery delayed",
        "mail delivery", "mail system error",
        "could not be delivered", "could not send", "error sending your mail", "not member", "couldn't be delivered", "not delivered",
        "failed delivery", "failed mail",
        "failed to deliver", "message delivery", "warning: message", "error message", "mail failure", "mail error", "non remis",
        "non-remis", "unzustellbar",
        "nicht zugestellt", "no se puede entregar", "mancata consegna", "message you sent blocked", "mail could not", "unable to deliver",
        "message from", "rejected:", "undelivered", "deferred", "nondeliverable", "non-delivery", "expired",
        "message status - undeliverable",
    ]
    private static let vacations = [
        "out of office", "out-of-office", "automatic reply", "auto reply", "auto-reply", "autoreply", "auto:", "vacation", "abwesen",
        "absence",
        "away from", "réponse automatique", "automatische antwort", "respuesta automática", "risposta automatica", "on holiday",
        "auto response",
    ]

    init(_ mail: MailParts, isNull: Bool) {
        let from = (mail.header["from"] + " " + mail.header["return-path"] + " " + mail.header["sender"]).lowercased()
        let subject = mail.header["subject"].lowercased()
        let type = mail.header["content-type"].lowercased()
        let auto = mail.header["auto-submitted"].lowercased()
        let isReport = type.contains("report-type=") && type.contains("delivery-status") || type.hasPrefix("multipart/report")
        let isDaemon = Self.senders.contains { from.contains($0) }
        let isVacation =
            Self.vacations.contains { subject.contains($0) } || auto.hasPrefix("auto-replied") || !mail.header["x-autoreply"].isEmpty
            || !mail.header["x-autorespond"].isEmpty || mail.header["precedence"].lowercased() == "auto_reply"
        let isSubject = Self.subjects.contains { subject.contains($0) }
        let hasFailed = !mail.header["x-failed-recipients"].isEmpty
        isBounce =
            isReport || hasFailed || isDaemon && !isVacation || isSubject && (isDaemon || isNull || !isVacation)
            || isNull && !isVacation && BounceText.hasReturned(mail)
        isAutomatic =
            isBounce || isVacation || isNull || !auto.isEmpty && auto != "no"
            || ["bulk", "list", "junk"].contains(mail.header["precedence"].lowercased())
        let isComplaint = ["complaint about message", "abuse report", "spam complaint", "email feedback report"].contains {
            subject.contains($0)
        }
        isComplaintText =
            isComplaint && !mail.returned.isEmpty
            || !isBounce && type.hasPrefix("multipart/") && !mail.returned.isEmpty
                && mail.lines.prefix(30).contains { line in
                    let line = line.lowercased()
                    return [
                        "abuse report", "abuse complaint", "spam report", "complaint from", "marked as spam", "reported as spam",
                        "email abuse",
                    ].contains { line.contains($0) }
                }
    }
}
