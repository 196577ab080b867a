package import Model
import Text

/// What a restore merged into the copy: all that the replaced ledger knew and the copy did not.
package struct RestoreMerge: Sendable, Equatable {
    /// Mailings that were taken over.
    package var mailings = 0
    /// Recipients of mailings of both ledgers who are terminal or uncertain by what the replaced ledger knew.
    package var outcomes = 0
    /// Suppressions that were added or removed.
    package var suppressions = 0
    /// Entries of the audit log.
    package var orders = 0
    /// Recipients and excluded rows of people who were erased since the copy was made, and are erased from it too.
    package var erased = 0
    /// Recipients of such people that are not, as the copy has them still to be sent to, or to be decided about.
    package var unerased = 0
    /// Mailings that partly return to their state in the copy.
    package var reverted: [Reversion] = []
    /// What is lost; nil where the copy has all that the ledger had.
    package var losses: Losses?

    /// What of a mailing returns to its state in the copy.
    package struct Reversion: Sendable, Equatable {
        package var id: MailingID
        package var name: String
        /// Recipients who were terminal, and are open again.
        package var opened = 0
        /// It was stopped, and is paused in the copy.
        package var wasStopped = false
        /// Its recipients were pruned, and are back.
        package var wasPruned = false
        /// Its results since the copy was made cannot be read.
        package var isUnread = false

        fileprivate var text: String {
            var parts: [String] = []
            if isUnread { parts.append("what became of its recipients since, and who visited, cannot be read") }
            if wasPruned { parts.append("its recipients were pruned, and are back") }
            if wasStopped { parts.append("it was stopped, and is paused in the copy") }
            if opened > 0 { parts.append("\(Plural.text(opened, "recipient")) with an end \(opened == 1 ? "is" : "are") open again") }
            return "\n  \(id) '\(name)': \(parts.joined(separator: "; "))"
        }
    }

    /// What is lost with a ledger that a copy replaces.
    package struct Losses: Sendable, Equatable {
        /// Why the ledger cannot tell, for people.
        package var why: String
        /// Mailings that are known to be missing, with their names; '' where the name is not known.
        package var mailings: [MailingID: String] = [:]
        /// There may be others.
        package var isIncomplete = true
        /// There is no ledger any more, of which a note is left.
        package var isGone = false
        /// The list of the suppressed could not be taken over.
        package var lacksSuppressions = false
        /// Who was erased since the copy was made is not known.
        package var lacksErasures = false
        /// Which visits are counted is not known.
        package var lacksEvents = false
        /// Why Redis does not tell, for people; nil where it does.
        package var redis: String?
        /// Unfinished mailings of the copy, and their open recipients.
        package var unfinished = 0
        package var open = 0

        init(why: String) { self.why = why }

        static var gone: Losses {
            var losses = Losses(why: "is gone")
            (losses.isGone, losses.isIncomplete) = (true, false)
            return losses
        }

        static func damaged(_ detail: String) -> Losses { Losses(why: "is damaged (\(detail))") }
    }
}

/// What is known of a ledger besides its file and the note beside it.
package struct KnownElsewhere: Sendable, Equatable {
    /// Its last commit that Redis was told of; nil for nothing.
    package var commits: Int64?
    /// The mailings that workers know from Redis, with their names.
    package var mailings: [MailingID: String] = [:]
    /// Why Redis does not tell, for people; nil where it does.
    package var problem: String?

    package init(commits: Int64? = nil, mailings: [MailingID: String] = [:], problem: String? = nil) {
        self.commits = commits
        self.mailings = mailings
        self.problem = problem
    }
}

extension RestoreMerge {
    /// What to ask a person before the copy replaces the ledger; nil where nothing is reverted.
    func question(of path: String) -> String? {
        guard let revertedText else { return nil }
        return """
            the ledger \(path) knows more than the copy, and not all of that can be taken over:\(revertedText)
              Whoever is open and may have been sent to is held when the planner starts. With --yes the copy takes the ledger's place, and \
            the ledger is kept beside it
            """
    }

    /// A line for each mailing that is partly reverted; nil for none.
    package var revertedText: String? {
        guard !reverted.isEmpty else { return nil }
        let more = reverted.count > Losses.mostNames ? "\n  and \(reverted.count - Losses.mostNames) more" : ""
        return reverted.prefix(Losses.mostNames).map(\.text).joined() + more
    }
}

extension RestoreMerge.Losses {
    fileprivate static let mostNames = 10

    /// Why the copy does not take the ledger's place.
    func refusal(of path: String) -> String {
        guard !isGone else {
            return """
                the ledger \(path) \(why), and the note beside it names what the copy lacks. \(text)
                  If that ledger can be found, put it back. With --force the copy takes its place nevertheless
                """
        }
        return """
            the ledger \(path) \(why). \(text)
              If it can be repaired (sqlite3 \(path) .recover), repair it first. With --force the copy takes its place nevertheless, and \
            the ledger is kept beside it
            """
    }

    /// What is missing, and who may be concerned.
    package var text: String {
        var parts: [String] = []
        if !mailings.isEmpty {
            let named = mailings.sorted { $0.key > $1.key }.prefix(Self.mostNames).map { id, name in
                name.isEmpty ? "\(id)" : "\(id) '\(name)'"
            }
            let more = mailings.count > Self.mostNames ? " and \(mailings.count - Self.mostNames) more" : ""
            parts.append(
                """
                Added since the copy was made, and not in it: \(named.joined(separator: ", "))\(more). People may have had them, and who \
                is not known: ask the provider before they are sent again
                """)
        }
        if isIncomplete {
            let known = mailings.isEmpty ? "Which mailings were added since the copy was made" : "Whether others were added"
            parts.append("\(known) is not known\(redis.map { " (\($0))" } ?? "")")
        }
        if lacksSuppressions {
            parts.append(
                """
                Who was suppressed since the copy was made is not known: repair that ledger, and import what flotilla suppressions export \
                says
                """
            )
        }
        if lacksErasures {
            parts.append(
                """
                Who was erased since the copy was made is not known, and their values are back: erase them again \
                (flotilla recipient erase)
                """)
        }
        if lacksEvents {
            parts.append("Which visits were counted since the copy was made is not known: those that are still in Redis may count twice")
        }
        if open > 0 || unfinished > 0 {
            parts.append(
                """
                Mailings of the copy that have not ended: \(unfinished), with \(Plural.text(open, "open recipient")). Who of them may have \
                been sent to since is held when the planner starts (flotilla mailing uncertain ID)
                """)
        }
        return parts.joined(separator: ". ")
    }
}
