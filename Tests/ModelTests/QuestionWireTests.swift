import TestServers
import Testing

@testable import Model

/// Questions of trackers and their answers, as they travel through Redis.
@Suite struct QuestionWireTests {
    private static func question(using random: inout SeededGenerator) -> Question {
        Question(
            Question.Kind.allCases.randomElement(using: &random) ?? .view, mailing: .random(in: 0 ... .max, using: &random),
            batch: .random(in: 0..<TrackedEvent.batches, using: &random), index: .random(in: 0..<TrackedEvent.indexes, using: &random),
            link: .random(in: 0..<Question.links, using: &random))
    }

    private static func answer(using random: inout SeededGenerator) -> Answer {
        let choices: [RecipientPreferences.Choice] = [.wanted, .declined, .excluded]
        let bytes = (0..<Int.random(in: 0..<50, using: &random)).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .gone
        case 1: return .tooLarge
        case 2: return .unable
        case 3: return .page(bytes)
        case 4: return .target(bytes)
        default:
            let categories = (0..<Int.random(in: 0..<5, using: &random)).map {
                RecipientPreferences.OfCategory("news\($0)", choices.randomElement(using: &random) ?? .wanted)
            }
            return .preferences(RecipientPreferences(channel: .sms, category: "news0", all: .declined, categories: categories))
        }
    }

    @Test func questionsReadWhatTheyWrote() throws {
        var random = SeededGenerator(seed: 1)
        for count in [0, 1, QuestionBatch.most] {
            let batch = QuestionBatch(asker: random.next(), (0..<count).map { _ in .init(random.next(), Self.question(using: &random)) })
            #expect(try QuestionBatch(decoding: batch.encoded()) == batch)
        }
    }

    @Test func answersReadWhatTheyWrote() throws {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let answer = NumberedAnswer(random.next(), Self.answer(using: &random))
            #expect(try NumberedAnswer(decoding: answer.encoded()) == answer)
        }
    }

    @Test func whatIsTooLargeIsSaidSo() throws {
        for answer in [Answer.page(Array(repeating: 1, count: Answer.bytes)), .target(Array(repeating: 1, count: Answer.targetBytes + 1))] {
            #expect(try NumberedAnswer(decoding: NumberedAnswer(7, answer).encoded()).answer == .tooLarge)
        }
        let page = Answer.page(Array(repeating: 1, count: Answer.bytes - 64))
        #expect(try NumberedAnswer(decoding: NumberedAnswer(.max, page).encoded()).answer == page)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func noBytesEndTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let asked = QuestionBatch(asker: 5, (0..<3).map { .init(UInt64($0), Self.question(using: &random)) }).encoded()
        let answered = NumberedAnswer(9, Self.answer(using: &random)).encoded()
        for _ in 0..<2000 {
            if let read = try? QuestionBatch(decoding: Mutation.spoil(asked, using: &random)) {
                #expect(read.questions.allSatisfy { $0.question.batch < TrackedEvent.batches && $0.question.link < Question.links })
            }
            _ = try? NumberedAnswer(decoding: Mutation.spoil(answered, using: &random))
        }
    }

    @Test func changesOfPreferencesTravelAsText() throws {
        let change = PreferenceChange(all: true, categories: ["news": false, "offers": true])
        #expect(change.text == "+* -news +offers" && PreferenceChange(change.text) == change && change.declines)
        #expect(PreferenceChange("")?.isEmpty == true && PreferenceChange("+") == nil && PreferenceChange("news") == nil)
        for text in ["+NEWS", "-a/b", "+all", "+" + String(repeating: "x", count: 65), String(repeating: "+a ", count: 9000)] {
            #expect(PreferenceChange(text) == nil)
        }
        let many = PreferenceChange(categories: Dictionary((0..<500).map { ("c\($0)", true) }) { first, _ in first })
        #expect(PreferenceChange(many.text)?.categories.count == RecipientPreferences.most)
        var event = TrackedEvent(.preferences, by: .post, mailing: 1, batch: 2, index: 3, time: 4)
        event.change = change
        let batch = EventBatch(source: 1, sequence: 0, events: [event, TrackedEvent(.open, mailing: 1, batch: 2, index: 3, time: 5)])
        #expect(try EventBatch(decoding: batch.encoded()) == batch)
    }

    @Test func someRowsOfABatchAreRead() throws {
        var all = Recipients(width: 3)
        for row in 0..<5 { all.append(row: ["\(row)", "p\(row)@example.com", "Ann \"\(row)\" é"]) }
        let rows = try Recipients.rows([1, 4, 9], of: all.encoded(), addressesAlone: false)
        #expect(rows.keys.sorted() == [1, 4] && rows[4]?[0, 2] == "Ann \"4\" é" && rows[1]?.width == 3)
        let addresses = try Recipients.rows([0], of: all.encoded(), addressesAlone: true)
        #expect(addresses[0]?.width == 2 && addresses[0]?[0, 1] == "p0@example.com")
        #expect(throws: WireError.self) { try Recipients.rows([0], of: Array("[[\"a\"]]".utf8), addressesAlone: false) }
    }
}
