/// The names of categories of mailings: a person can be unsubscribed from one of them and get the others.
package enum Category {
    /// Bytes of a name at most.
    package static let longest = 64
    /// Stands for all mailings of a channel where a person writes a category, and is no name.
    package static let all = "all"

    /// Why a text is no name of a category, as the end of a sentence; nil where it is one.
    package static func fault(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, (1...longest).contains(text.utf8.count) else {
            return "is no category; a category is 1 to \(longest) of a-z, 0-9, '-', '_' and '.', such as news"
        }
        return text == all ? "stands for all mailings and is no category; leave it out, or name one" : nil
    }
}
