package import Model

/// What a customer may be sent.
package enum CustomerStatus: String, Codable, Sendable, CaseIterable {
    case enabled
    /// Not sent to for now, such as one who has left.
    case disabled
    /// Never sent to.
    case blocked

    /// How the ledger keeps it.
    package var code: Int {
        switch self {
        case .enabled: 0
        case .disabled: 1
        case .blocked: 2
        }
    }

    package init?(code: Int) {
        guard let found = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }
}

/// An address of a customer.
package struct CustomerAddress: Sendable, Equatable {
    /// In its normal form; as it was written where it is none of its channel.
    package var address: String
    /// By which two addresses are compared.
    package var key: String
    package var isValid: Bool

    package init(address: String, key: String, isValid: Bool) {
        (self.address, self.key, self.isValid) = (address, key, isValid)
    }
}

/// Whether messages may be sent to a customer by a channel.
package struct Subscription: Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case subscribed, unsubscribed
        /// The person was asked, and has not answered (double opt-in).
        case unconfirmed

        /// How the ledger keeps it.
        package var code: Int {
            switch self {
            case .unsubscribed: 0
            case .subscribed: 1
            case .unconfirmed: 2
            }
        }

        package init?(code: Int) {
            guard let found = Self.allCases.first(where: { $0.code == code }) else { return nil }
            self = found
        }
    }

    package var channel: Channel
    /// Empty for the channel as a whole.
    package var category: String
    package var state: State
    /// Where it was given: the name of a file, a form, a person.
    package var source: String
    /// When, in milliseconds since 1970.
    package var at: Int64
    /// What proves it, such as the address of a stored form; empty for nothing.
    package var proof: String

    package init(_ channel: Channel, category: String, state: State, source: String, at: Int64, proof: String = "") {
        (self.channel, self.category, self.state) = (channel, category, state)
        (self.source, self.at, self.proof) = (source, at, proof)
    }
}

/// A customer as the ledger has it.
package struct Customer: Sendable, Equatable {
    /// The id that other systems know the customer by.
    package var id: String
    package var status = CustomerStatus.enabled
    /// A language tag of RFC 5646; empty where it is not known.
    package var language = ""
    /// A name of the IANA time zone database; empty where it is not known.
    package var timeZone = ""
    package var mainChannel: Channel?
    /// Sorted.
    package var tags: [String] = []
    /// By channel, the main one first.
    package var addresses: [Channel: [CustomerAddress]] = [:]
    package var subscriptions: [Subscription] = []
    /// By name.
    package var attributes: [String: AttributeValue] = [:]
    /// Milliseconds since 1970.
    package var created: Int64 = 0
    package var changed: Int64 = 0

    package init(id: String) { self.id = id }
}

/// What an import says of a customer: what is nil, or has no key, stays as it is.
package struct CustomerChange: Sendable, Equatable {
    package var id: String
    package var status: CustomerStatus?
    package var language: String?
    package var timeZone: String?
    package var mainChannel: Channel?
    package var tags: [String]?
    /// By channel, all addresses that the customer has from now on.
    package var addresses: [Channel: [CustomerAddress]] = [:]
    package var subscriptions: [SubscriptionKey: Subscription.State] = [:]
    /// By the attribute's number.
    package var attributes: [Int: AttributeValue] = [:]

    package init(id: String) { self.id = id }
}

/// What a subscription is to.
package struct SubscriptionKey: Sendable, Hashable {
    package var channel: Channel
    /// Empty for the channel as a whole.
    package var category: String

    package init(_ channel: Channel, category: String = "") { (self.channel, self.category) = (channel, category) }
}
