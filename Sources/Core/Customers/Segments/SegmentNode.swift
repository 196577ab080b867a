package import Model

/// A tree of conditions on customers. Every customer is a member of it or none: what is not known fulfils no condition but `isUnknown`.
package indirect enum SegmentNode: Sendable, Equatable {
    /// Conditions of a tree at most, with those of the segments that it uses.
    package static let mostConditions = 10_000
    /// Levels of a tree at most.
    package static let mostLevels = 50

    case all([SegmentNode])
    case any([SegmentNode])
    case none([SegmentNode])
    case condition(SegmentCondition)

    package var conditions: Int {
        switch self {
        case .all(let parts), .any(let parts), .none(let parts): parts.reduce(0) { $0 + $1.conditions }
        case .condition: 1
        }
    }
}

package enum SegmentCondition: Sendable, Equatable {
    case field(SegmentField, SegmentTest)
    /// Has an address of the channel; `isValid`: one that is valid.
    case address(Channel, isValid: Bool)
    case consent(SubscriptionKey, Subscription.State)
    case history(HistoryCondition)
    case segment(String)
    /// Customers by their ids.
    case customers([String])
}

/// What a condition looks at.
package enum SegmentField: Sendable, Equatable {
    case attribute(Attribute)
    case id, status, language
    case timeZone
    case mainChannel
    case tags, created, changed

    /// Fields by the names that no attribute has; `created` and `changed` are those of an attribute where there is one.
    package static let named: [(name: String, field: SegmentField)] = [
        ("id", .id), ("status", .status), ("language", .language), ("time_zone", .timeZone), ("main_channel", .mainChannel),
        ("tags", .tags), ("created", .created), ("changed", .changed),
    ]

    package var type: AttributeType {
        switch self {
        case .attribute(let attribute): attribute.type
        case .id, .status, .language, .timeZone, .mainChannel: .text
        case .tags: .list
        case .created, .changed: .date
        }
    }
}

/// What a field is compared with. Texts are compared byte by byte, numbers and dates as the ledger keeps them.
package enum SegmentTest: Sendable, Equatable {
    case oneOf([AttributeValue])
    /// The complement of `oneOf`: a customer without a value too.
    case isNot(AttributeValue)
    case atLeast(Int64)
    case atMost(Int64)
    case between(Int64, Int64)
    /// Of a text some characters, of a list an element.
    case contains(String)
    case startsWith(String)
    case isKnown
    case isUnknown
    case time(SegmentWindow)
}

/// A span of days before now, whose end moves with the clock.
package enum SegmentWindow: Sendable, Equatable {
    /// After the time so many days ago, and not in the future.
    case withinLast(Int)
    /// At that time or before it.
    case beforeLast(Int)

    /// Milliseconds of a day.
    package static let day: Int64 = 86_400_000
    /// Days at most: a hundred years.
    package static let most = 36_500
}

/// A condition on events or orders. Those in the future do not count.
package struct HistoryCondition: Sendable, Equatable {
    package enum Subject: Sendable, Equatable {
        case events(String)
        /// With a line of one of the products; empty for any order.
        case orders([String])
    }

    package enum Measure: Sendable, Equatable {
        /// Of events or orders; 0 where there are none.
        case count(Comparison)
        /// Of the amounts in a currency, with products of their lines only; 0 where there are none.
        case sum(String, Comparison)
        case first(SegmentWindow)
        case last(SegmentWindow)
    }

    package enum Comparison: Sendable, Equatable {
        case atLeast(Int64), atMost(Int64), equals(Int64)

        package func holds(_ value: Int64) -> Bool {
            switch self {
            case .atLeast(let bound): value >= bound
            case .atMost(let bound): value <= bound
            case .equals(let bound): value == bound
            }
        }
    }

    package var subject: Subject
    package var measure: Measure
    /// Only what happened in the last days is counted; nil for all of it.
    package var within: Int?

    package init(_ subject: Subject, _ measure: Measure, within: Int? = nil) {
        (self.subject, self.measure, self.within) = (subject, measure, within)
    }
}
