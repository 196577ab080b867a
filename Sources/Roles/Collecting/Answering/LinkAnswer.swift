import Ledger
import Model
import Templates

/// Answers where a link of a short message leads.
enum LinkAnswer {
    /// - Parameters:
    ///   - question: of the kind `link`.
    ///   - recipient: whose message it is; without values where the recipient is erased or the mailing pruned. Then a link that leads all
    ///     recipients to the same place is still answered.
    ///   - mailing: what the message was made from.
    static func answer(_ question: Question, _ recipient: AskedRecipient, _ mailing: AskedMailing) -> Answer {
        guard let target = mailing.link(question.link)?.target(recipient.values, row: 0) else { return .gone }
        return Answer.target(target).bounded
    }

    /// The answer where nothing need be known of the recipient; nil where something need be.
    static func answer(_ question: Question, _ mailing: AskedMailing) -> Answer? {
        guard let link = mailing.link(question.link), link.isSame else { return nil }
        return link.target(nil, row: 0).map(Answer.target)?.bounded
    }
}
