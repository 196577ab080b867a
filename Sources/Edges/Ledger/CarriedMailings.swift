package import Model
import Text

/// What became of the mailings that a ledger has, and the copy that takes its place has not.
package struct CarriedMailings: Sendable, Equatable {
    /// Mailings that were taken over.
    package var count = 0
    /// What is lost; nil where the copy has all that the ledger had.
    package var losses: Losses?

    /// What a copy does not know of the ledger whose place it takes.
    package struct Losses: Sendable, Equatable {
        /// Why the ledger cannot tell, for people.
        package var why: String
        /// Mailings that are known to be missing, with their names; '' where the name is not known.
        package var mailings: [MailingID: String] = [:]
        /// There may be others.
        package var isIncomplete = true
        /// The list of the suppressed could not be taken over.
        package var lacksSuppressions = false
        /// Why Redis does not tell, for people; nil where it does.
        package var redis: String?
        /// Unfinished mailings of the copy, and their open recipients.
        package var unfinished = 0
        package var open = 0

        init(why: String) { self.why = why }

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

extension CarriedMailings.Losses {
    private static let mostNames = 10

    /// Why the copy does not take the ledger's place.
    func refusal(of path: String) -> String {
        """
        the ledger \(path) \(why). \(text)
          If it can be repaired (sqlite3 \(path) .recover), repair it first. With --force the copy takes its place nevertheless, and the \
        ledger is kept beside it
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
