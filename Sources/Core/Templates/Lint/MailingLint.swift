package import Model
import Text

/// Looks through an e-mail mailing for what makes its messages worse than they need to be.
package enum MailingLint {
    /// Gmail clips what is longer; its own text is not public: caniemail.com and mail tools agree on the figure.
    static let clippedBytes = 102 * 1024
    static let longestSubject = 70
    /// A mailing of this category needs no unsubscribe link: it tells of an order or an account.
    static let transactional = "transactional"

    /// Recipients whose texts are looked at; their subjects are, of a whole batch.
    private static let examples = 20

    /// What the templates themselves show.
    package static func templates(_ mailing: Mailing) -> [MailingFinding] {
        guard mailing.channel == .email else { return [] }
        let (html, ways) = mailing.html.isEmpty ? ([], HTMLLint.Unsubscribing()) : HTMLLint.run(mailing.html)
        var (byTracker, own) = (ways.byTracker, ways.own != nil)
        if mailing.html.isEmpty {
            let text = mailing.text.source
            byTracker = [TrackerPage.unsubscribe, .preferences].contains { text.contains($0.rawValue) }
            own = UnsubscribeWords.areIn(text)
        }
        let template = mailing.html.isEmpty ? mailing.text : mailing.html
        var found = LintFindings(TemplateSource(template, unifyingLineEnds: true))
        if !byTracker, own {
            found.note(.ownUnsubscribeLink, at: ways.own, "the link that unsubscribes is the mailing's own")
        } else if !byTracker, mailing.category != transactional {
            found.note(.noUnsubscribeLink, "no link unsubscribes")
        }
        return html + found.findings
    }

    /// What messages show as they are sent.
    /// - Parameters:
    ///   - mailing: as it is sent, with all its headers.
    ///   - composer: of this mailing.
    ///   - recipients: of its first batch.
    package static func messages(
        _ mailing: Mailing, _ composer: EmailComposer, _ recipients: Recipients, of batch: BatchID
    ) -> [MailingFinding] {
        var found = LintFindings(file: mailing.html.isEmpty ? mailing.text.file : mailing.html.file)
        if !composer.unsubscribesByHeader, mailing.category != transactional {
            found.note(.noUnsubscribeHeader, "messages have no List-Unsubscribe for one click")
        }
        if recipients.count > 0, composer.reading(.text, recipients, row: 0, of: batch) == nil {
            found.note(.noTextPart, "messages have no text, and none can be made of the HTML")
        }
        var longest = (bytes: 0, id: "")
        for row in 0..<min(examples, recipients.count) {
            let bytes = composer.reading(.html, recipients, row: row, of: batch)?.count ?? 0
            if bytes > longest.bytes { longest = (bytes, recipients[row, 0]) }
        }
        if longest.bytes > clippedBytes {
            found.note(.clipped, "the HTML for recipient '\(longest.id)' has \(longest.bytes / 1024) KB")
        }
        return found.findings + subjects(mailing, composer, recipients)
    }

    private static func subjects(_ mailing: Mailing, _ composer: EmailComposer, _ recipients: Recipients) -> [MailingFinding] {
        var found = LintFindings(TemplateSource(mailing.subject))
        var empty: [Int] = []
        var long: (row: Int, length: Int)?
        var capital: Int?
        for row in 0..<recipients.count {
            let subject = composer.subject(recipients, row: row)
            let length = subject.count
            if !subject.contains(where: { !$0.isWhitespace }) { empty.append(row) }
            if length > max(longestSubject, long?.length ?? 0) { long = (row, length) }
            if capital == nil, isCapital(subject) { capital = row }
        }
        if empty.count == recipients.count, !recipients.isEmpty {
            found.note(.emptySubject, "the subject is empty")
        } else if let row = empty.first {
            let some = "\(empty.count) of the first \(Plural.text(recipients.count, "recipient"))"
            found.note(.emptySubject, "the subject is empty for \(some), as '\(recipients[row, 0])'", severity: .warning)
        }
        if let long { found.note(.longSubject, "the subject for recipient '\(recipients[long.row, 0])' has \(long.length) characters") }
        if let capital { found.note(.capitalSubject, "the subject for recipient '\(recipients[capital, 0])' is all capitals") }
        return found.findings
    }

    /// Five letters at least, and no small one.
    private static func isCapital(_ text: String) -> Bool {
        let cased = text.filter { $0.isUppercase || $0.isLowercase }
        return cased.count >= 5 && cased.allSatisfy(\.isUppercase)
    }
}
