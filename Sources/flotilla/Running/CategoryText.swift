import Ledger
import Model
import Planning
import Policy
import Telemetry

/// What is said of the category of a mailing before it is added.
enum CategoryText {
    /// Refuses a category that nobody has added: nobody is unsubscribed from a misspelt one. Of a mailing without a category, says how many
    /// get it who have unsubscribed from one.
    /// - Parameter option: the `--ledger` of the command; nil where it named none.
    /// - Throws: `CommandError`.
    static func check(_ job: PreparedJob, in ledger: any OpenLedger, option: String?) async throws {
        if let category = job.mailing.category {
            guard let fault = KnownCategories(try await ledger.categories(), ledger: option).fault(category) else { return }
            throw CommandError("\(job.categoryPlace.map { $0 + ": " } ?? "")category: \(fault)")
        }
        let reach = try await CategoryReach(of: job.source, job.mailing.channel, in: ledger, now: Clock.milliseconds())
        guard reach.people > 0 else { return }
        let people = reach.people == 1 ? "1 person" : "\(grouped(reach.people)) people"
        let part = reach.limit.map { " of the first \(grouped($0)) rows" } ?? ""
        StandardError.warn(
            """
            the mailing has no category: it goes to \(people)\(part) who \(reach.people == 1 ? "has" : "have") unsubscribed from one. \
            `category: NAME` in the mailing file leaves out who has unsubscribed from that (flotilla suppressions categories list)
            """)
    }
}
