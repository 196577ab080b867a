import Text

/// The person or program that gives an order, by the name that others see.
package struct OrderActor: Sendable, Equatable, CustomStringConvertible {
    package let description: String

    /// Characters of a name at most.
    package static let longest = 100

    /// - Throws: `OrderError.refused` for a name that is empty, too long, or not printable.
    package init(_ name: String) throws(OrderError) {
        let isPrintable = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
            default: true
            }
        }
        guard isPrintable, name.count <= Self.longest, !name.allSatisfy(\.isWhitespace) else {
            throw .refused("an actor is a name of 1 to \(Self.longest) printable characters")
        }
        description = name
    }

    /// The name of a user of this machine.
    /// - Parameter user: their login name; where it cannot be shown, `number` is.
    package init(user: String, number: UInt32) {
        self = (try? OrderActor(user)) ?? OrderActor(number: number)
    }

    private init(number: UInt32) { description = "uid\(number)" }
}
