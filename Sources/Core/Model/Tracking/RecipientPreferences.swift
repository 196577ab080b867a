/// What the recipient of a message gets, and what they chose not to get.
package struct RecipientPreferences: Sendable, Equatable {
    package enum Choice: UInt8, Sendable {
        /// They get it.
        case wanted = 1
        /// They chose not to get it, and can take that back.
        case declined
        /// Somebody else decided, or a fault: a complaint, a mailbox that does not exist. They cannot change it.
        case excluded
    }

    package struct OfCategory: Sendable, Equatable {
        package var name: String
        package var choice: Choice

        package init(_ name: String, _ choice: Choice) { (self.name, self.choice) = (name, choice) }
    }

    package var channel: Channel
    /// The category of the message; empty for none.
    package var category: String
    /// All mailings of the channel.
    package var all: Choice
    /// Every category, in the order of its name; `most` of them, among which is that of the message.
    package var categories: [OfCategory]

    /// Categories at most: a form with all of them, of the longest names, fits into a request.
    package static let most = 100

    package init(channel: Channel, category: String, all: Choice, categories: [OfCategory]) {
        (self.channel, self.category, self.all, self.categories) = (channel, category, all, categories)
    }
}

extension RecipientPreferences {
    func write(to out: inout PackedWriter) {
        out.text(channel.rawValue)
        out.text(category)
        out.byte(all.rawValue)
        let written = categories.prefix(Self.most)
        out.number(UInt64(written.count))
        for one in written {
            out.text(one.name)
            out.byte(one.choice.rawValue)
        }
    }

    init(_ reader: inout PackedReader) throws(WireError) {
        let name = try reader.text(atMost: Category.longest)
        guard let channel = Channel(rawValue: name) else { throw WireError("unknown channel \(name)", isNewer: true) }
        self.channel = channel
        category = try reader.text(atMost: Category.longest)
        all = try Self.choice(&reader)
        categories = []
        for _ in 0..<(try reader.number(atMost: UInt64(Self.most))) {
            let name = try reader.text(atMost: Category.longest)
            categories.append(OfCategory(name, try Self.choice(&reader)))
        }
    }

    private static func choice(_ reader: inout PackedReader) throws(WireError) -> Choice {
        let byte = try reader.byte()
        guard let choice = Choice(rawValue: byte) else { throw WireError("no choice is \(byte)") }
        return choice
    }
}

extension PackedWriter {
    /// A text behind its length.
    mutating func text(_ text: String) {
        let bytes = Array(text.utf8)
        number(UInt64(bytes.count))
        append(bytes)
    }
}

extension PackedReader {
    /// A text behind its length.
    /// - Parameter most: bytes at most.
    mutating func text(atMost most: Int) throws(WireError) -> String {
        let length = Int(try number(atMost: UInt64(most)))
        guard let text = String(validating: try bytes(length), as: UTF8.self) else { throw WireError("a text that is no UTF-8") }
        return text
    }
}
