import Ledger
import Logging
import Model
import Policy
import Synchronization

/// Finds the answers to questions in the ledger, many at a time.
final class QuestionAnswers: Sendable {
    typealias Store = AnswerStore & MailingStore

    private let ledger: any Store
    private let mailings: AskedMailings
    private let canSign: Bool
    private let line = Mutex(RepeatedLine())
    private let clocks: Clocks
    private let logger: Logger

    /// Questions of a kind that are looked up together.
    static func most(_ kind: Question.Kind) -> Int { kind == .view ? 16 : 256 }

    init(_ ledger: any Store, _ signer: AskedMailings.Signer?, clocks: Clocks, logger: Logger) {
        (self.ledger, self.clocks, self.logger) = (ledger, clocks, logger)
        mailings = AskedMailings(ledger, signer)
        canSign = signer != nil
    }

    /// The answers to questions of one kind, in their order.
    /// - Parameter now: milliseconds since 1970.
    func answers(to questions: [Question], _ kind: Question.Kind, now: Int64) async -> [Answer] {
        if kind == .view, !canSign {
            say("messages are not shown in browsers: set tracker.url and tracker.keys for this collector, as on the other roles")
            return questions.map { _ in .unable }
        }
        do throws(LedgerError) {
            if kind == .preferences {
                return try await ledger.preferences(of: questions, now: now).map { $0.map(Answer.preferences) ?? .gone }
            }
            let known = await sameForAll(questions, kind)
            let open = questions.filter { known[$0] == nil }
            var answers = known
            for (question, recipient) in zip(open, try await ledger.asked(about: open)) {
                answers[question] = await answer(question, recipient)
            }
            return questions.map { answers[$0] ?? .unable }
        } catch {
            say("visitors' questions have no answer: the ledger cannot be read: \(error)")
            return questions.map { _ in .unable }
        }
    }

    /// The answers to those questions for which no recipient has to be read.
    private func sameForAll(_ questions: [Question], _ kind: Question.Kind) async -> [Question: Answer] {
        var answers: [Question: Answer] = [:]
        guard kind == .link else { return answers }
        for question in questions {
            guard let mailing = await mailings.known(numbered: question.mailing) else { continue }
            answers[question] = LinkAnswer.answer(question, mailing)
        }
        return answers
    }

    private func answer(_ question: Question, _ recipient: AskedRecipient?) async -> Answer {
        guard let recipient else { return .gone }
        // What is gone needs no mailing.
        if question.kind == .view, recipient.values == nil { return .gone }
        do {
            guard let mailing = try await mailings.mailing(recipient.batch.mailing, number: question.mailing) else { return .gone }
            return question.kind == .view ? mailing.page(of: recipient) : LinkAnswer.answer(question, recipient, mailing)
        } catch {
            say("messages of mailing \(recipient.batch.mailing) cannot be shown: \(error)")
            return .unable
        }
    }

    private func say(_ problem: String) {
        guard let count = line.withLock({ $0.add(at: clocks.monotonic) }) else { return }
        logger.warning("\(problem)\(RepeatedLine.text(count))")
    }
}
