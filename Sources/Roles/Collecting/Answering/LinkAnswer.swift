import Ledger
import Model

/// Answers where a link of a short message leads.
enum LinkAnswer {
    /// - Parameters:
    ///   - question: of the kind `link`.
    ///   - recipient: whose message it is; without values where the recipient is erased or the mailing pruned.
    ///   - mailing: what the message was made from.
    static func answer(_ question: Question, _ recipient: AskedRecipient, _ mailing: AskedMailing) -> Answer { .gone }
}
