/// The types of a customer's attributes.
package enum AttributeType: String, Codable, Sendable, CaseIterable {
    case text
    /// A decimal number with six digits behind the point at most.
    case number
    /// A moment; a day alone is its midnight in UTC.
    case date
    case boolean
    /// Several texts, each once.
    case list
}

/// An attribute that customers may have.
package struct Attribute: Sendable, Equatable {
    /// Bytes of a name at most.
    package static let longestName = 64
    /// How many a ledger has at most: each is a column of its table of customers.
    package static let most = 400

    package let name: String
    package let type: AttributeType
    /// Its place in the ledger, from 1; it never changes.
    package let number: Int

    package init(name: String, type: AttributeType, number: Int) {
        self.name = name
        self.type = type
        self.number = number
    }

    /// Why a text is no name of an attribute, as the end of a sentence; nil where it is one.
    package static func fault(ofName text: String) -> String? {
        let isName = text.utf8.enumerated().allSatisfy { place, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): place > 0
            default: false
            }
        }
        guard isName, (1...longestName).contains(text.utf8.count) else {
            return "is no name of an attribute; a name is a letter and up to \(longestName - 1) of a-z, 0-9 and '_', such as birth_date"
        }
        guard CustomerField(column: text) == nil, !["created", "changed"].contains(text) else {
            return "is what each customer has already; name the attribute otherwise"
        }
        return nil
    }
}
