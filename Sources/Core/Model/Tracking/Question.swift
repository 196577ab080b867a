/// What a visitor's link asks of the ledger, since it is not in the link: a tracker asks through Redis, and a collector answers.
package struct Question: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// What the recipient of a message chose to get.
        case preferences = 1
        /// The message, to be shown in a browser.
        case view
        /// The target of a link of a short message.
        case link
    }

    package let kind: Kind
    /// The mailing's number in the ledger.
    package let mailing: UInt32
    /// The number of the recipient's batch, below `TrackedEvent.batches`.
    package let batch: UInt32
    /// The recipient's place in the batch, below `TrackedEvent.indexes`.
    package let index: UInt32
    /// The number of a `link`, below `links`; else 0.
    package let link: UInt32

    /// What a token has room for.
    package static let links: UInt32 = 1 << 6

    package init(_ kind: Kind, mailing: UInt32, batch: UInt32, index: UInt32, link: UInt32 = 0) {
        (self.kind, self.mailing) = (kind, mailing)
        self.batch = min(batch, TrackedEvent.batches - 1)
        self.index = min(index, TrackedEvent.indexes - 1)
        self.link = kind == .link ? min(link, Self.links - 1) : 0
    }
}

/// Questions of one tracker that travel together. None is written down: a visitor who gets no answer asks again.
package struct QuestionBatch: Sendable, Equatable {
    package struct Numbered: Sendable, Equatable {
        /// By which the tracker knows the answer.
        package let number: UInt64
        package let question: Question

        package init(_ number: UInt64, _ question: Question) { (self.number, self.question) = (number, question) }
    }

    /// The life of a tracker that asks; random. Answers go to its key.
    package let asker: UInt64
    package let questions: [Numbered]

    /// Questions of a batch at most.
    package static let most = 200

    package init(asker: UInt64, _ questions: [Numbered]) { (self.asker, self.questions) = (asker, questions) }
}

/// The wire form: the version, the asker, how many questions there are, and each of them; numbers are varints (`PackedWriter`).
extension QuestionBatch {
    /// The version of the wire form, its first byte.
    package static let version: UInt8 = 1

    package func encoded() -> [UInt8] {
        var out = PackedWriter(capacity: questions.count * 16 + 16)
        out.byte(Self.version)
        out.fixed(asker)
        out.number(UInt64(questions.count))
        for one in questions {
            out.byte(one.question.kind.rawValue)
            out.number(one.number)
            for number in [one.question.mailing, one.question.batch, one.question.index, one.question.link] { out.number(UInt64(number)) }
        }
        return out.bytes
    }

    /// Reads a wire form, which anybody may have written.
    package init(decoding wire: [UInt8]) throws(WireError) {
        var reader = PackedReader(wire)
        try reader.version(Self.version)
        asker = try reader.fixed()
        var questions: [Numbered] = []
        for _ in 0..<(try reader.number(atMost: UInt64(Self.most))) {
            let head = try reader.byte()
            guard let kind = Question.Kind(rawValue: head) else { throw WireError("no question is of the kind \(head)") }
            let number = try reader.number(atMost: .max)
            questions.append(
                Numbered(
                    number,
                    Question(
                        kind, mailing: UInt32(try reader.number(atMost: UInt64(UInt32.max))),
                        batch: UInt32(try reader.number(atMost: UInt64(TrackedEvent.batches - 1))),
                        index: UInt32(try reader.number(atMost: UInt64(TrackedEvent.indexes - 1))),
                        link: UInt32(try reader.number(atMost: UInt64(Question.links - 1))))))
        }
        try reader.end()
        self.questions = questions
    }
}

extension PackedReader {
    /// Reads the first byte of a wire form that has one version so far.
    mutating func version(_ known: UInt8) throws(WireError) {
        let version = try byte()
        guard version == known else {
            throw WireError("its version \(version) is not \(known), which this release reads", isNewer: version > known)
        }
    }
}
