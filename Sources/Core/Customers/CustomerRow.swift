import Foundation
import Model
package import Policy
import Text

/// What the columns of a table of customers are.
package struct CustomerColumns: Sendable {
    package enum Meaning: Sendable, Equatable {
        case field(CustomerField)
        case attribute(Attribute)
        case ignored
    }

    package let meanings: [Meaning]

    /// - Parameters:
    ///   - columns: the table's, in their order.
    ///   - mapping: for a column the name of what it is, `-` for nothing.
    /// - Throws: `Fault`.
    package init(_ columns: [String], mapping: [String: String], attributes: [Attribute]) throws(Fault) {
        let known = Dictionary(uniqueKeysWithValues: attributes.map { ($0.name, $0) })
        for name in mapping.keys.sorted() where !columns.contains(name) {
            throw Fault("there is no column '\(name)' for --map; the columns are \(columns.joined(separator: ", "))")
        }
        var meanings: [Meaning] = []
        var unknown: [String] = []
        for column in columns {
            let name = mapping[column] ?? column.trimmed.lowercased()
            if name == "-" || name.isEmpty {
                meanings.append(.ignored)
            } else if let field = CustomerField(column: name) {
                meanings.append(.field(field))
            } else if let attribute = known[name] {
                meanings.append(.attribute(attribute))
            } else {
                unknown.append(column)
                meanings.append(.ignored)
            }
        }
        if let column = unknown.first { throw Self.unknown(column, all: unknown, known: known.keys.sorted()) }
        for (place, meaning) in meanings.enumerated() where meaning != .ignored && meanings[..<place].contains(meaning) {
            throw Fault("the column '\(columns[place])' means the same as another; name what each is with --map, or - to ignore one")
        }
        guard meanings.contains(.field(.id)) else {
            throw Fault(
                "no column is the customers' id; name it 'id', or say --map COLUMN=id. The columns are \(columns.joined(separator: ", "))")
        }
        self.meanings = meanings
    }

    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    private static func unknown(_ column: String, all: [String], known: [String]) -> Fault {
        let names = CustomerField.usual.map(\.column) + known
        let meant = NearestName.of(column, among: names).map { "; did you mean '\($0)'?" } ?? "."
        let others = all.count > 1 ? " (nor are \(all.dropFirst().map { "'\($0)'" }.joined(separator: ", ")))" : ""
        return Fault(
            """
            the column '\(column)' is neither a field of customers nor an attribute that was added\(others)\(meant) \
            Add it (flotilla customers attributes add NAME TYPE), say what it is (--map '\(column)=NAME'), or ignore it \
            (--map '\(column)=-')
            """)
    }
}

/// Reads what a row of a table says of a customer.
package struct CustomerRow: Sendable {
    /// Bytes of an id at most.
    package static let longestID = 256
    /// Addresses of one channel at most.
    private static let mostAddresses = 20
    /// Bytes of an address at most.
    private static let longestAddress = 1024

    /// Why a value does not do.
    package struct Fault: Error, Sendable, Equatable {
        package let column: Int
        /// The end of a sentence that begins with the column.
        package let problem: String
    }

    package let columns: CustomerColumns
    /// Of telephone numbers without a country code.
    package let country: PhoneCountry?
    /// The state of subscriptions where the row says nothing, for each channel of which it has an address; nil for none.
    package let subscribed: Subscription.State?

    package init(columns: CustomerColumns, country: PhoneCountry?, subscribed: Subscription.State?) {
        (self.columns, self.country, self.subscribed) = (columns, country, subscribed)
    }

    /// - Parameter value: of a column, by its place; empty for none.
    /// - Throws: the first fault. An address that is none of its channel is no fault: it is kept as not valid.
    package func read(_ value: (Int) -> String) throws(Fault) -> CustomerChange {
        var change = CustomerChange(id: "")
        var general: Subscription.State?
        for (place, meaning) in columns.meanings.enumerated() where meaning != .ignored {
            let raw = value(place)
            let text = String(raw.trimmed)
            guard !text.isEmpty else { continue }
            switch meaning {
            case .field(.subscription(nil, _)): general = try state(text, place)
            case .field(let field): try set(field, text, place, &change)
            case .attribute(let attribute):
                do throws(AttributeValue.Fault) {
                    change.attributes[attribute.number] = try AttributeValue(raw, attribute.type)
                } catch { throw Fault(column: place, problem: "'\(Self.shown(text))' \(error)") }
            case .ignored: break
            }
        }
        guard !change.id.isEmpty else {
            throw Fault(column: columns.meanings.firstIndex(of: .field(.id)) ?? 0, problem: "is empty: each customer has an id")
        }
        if let state = general ?? subscribed {
            for channel in change.addresses.keys where change.subscriptions[SubscriptionKey(channel)] == nil {
                change.subscriptions[SubscriptionKey(channel)] = state
            }
        }
        return change
    }

    private func set(_ field: CustomerField, _ text: String, _ place: Int, _ change: inout CustomerChange) throws(Fault) {
        switch field {
        case .id:
            guard text.utf8.count <= Self.longestID, !text.utf8.contains(0) else {
                throw Fault(column: place, problem: "is no id: it is longer than \(Self.longestID) bytes, or holds a NUL")
            }
            change.id = text
        case .status: change.status = try choice(text, place)
        case .language:
            guard Self.isLanguage(text) else {
                throw Fault(column: place, problem: "'\(Self.shown(text))' is no language tag such as de or pt-BR (RFC 5646)")
            }
            change.language = text
        case .timeZone:
            guard Self.zones.contains(text) else {
                throw Fault(column: place, problem: "'\(Self.shown(text))' is no time zone; write a name as Europe/Berlin (IANA)")
            }
            change.timeZone = text
        case .mainChannel: change.mainChannel = try choice(text, place)
        case .tags:
            do throws(AttributeValue.Fault) { change.tags = try AttributeValue.elements(text) } catch {
                throw Fault(column: place, problem: "\(error)")
            }
        case .address(let channel): change.addresses[channel] = try addresses(text, channel, place)
        case .subscription(let channel?, let category):
            change.subscriptions[SubscriptionKey(channel, category: category)] = try state(text, place)
        case .subscription(nil, _): break
        }
    }

    /// One address, or several as a JSON array or with `|` between them.
    private func addresses(_ text: String, _ channel: Channel, _ place: Int) throws(Fault) -> [CustomerAddress] {
        let parts: [String]
        do throws(AttributeValue.Fault) {
            parts = try AttributeValue.texts(text)
        } catch { throw Fault(column: place, problem: "\(error)") }
        guard parts.count <= Self.mostAddresses else {
            throw Fault(column: place, problem: "has \(parts.count) addresses; \(Self.mostAddresses) are the most")
        }
        guard parts.allSatisfy({ $0.utf8.count <= Self.longestAddress && !$0.utf8.contains(0) }) else {
            throw Fault(column: place, problem: "has an address of more than \(Self.longestAddress) bytes, or with a NUL")
        }
        var found: [CustomerAddress] = []
        for part in parts where !part.isEmpty {
            let one = Self.address(part, channel, country)
            if !found.contains(where: { $0.key == one.key }) { found.append(one) }
        }
        return found
    }

    private static func address(_ text: String, _ channel: Channel, _ country: PhoneCountry?) -> CustomerAddress {
        var normal: [UInt8] = []
        let isValid = Array(text.utf8).withUnsafeBufferPointer { raw in
            do throws(NormalAddress.Fault) {
                _ = try NormalAddress.append(raw.trimmed, channel, country: country, to: &normal)
                return true
            } catch { return false }
        }
        guard isValid else { return CustomerAddress(address: text, key: text, isValid: false) }
        var key: [UInt8] = []
        normal.withUnsafeBufferPointer { AddressKey.append(of: $0, channel, to: &key) }
        return CustomerAddress(address: String(decoding: normal, as: UTF8.self), key: String(decoding: key, as: UTF8.self), isValid: true)
    }

    private func state(_ text: String, _ place: Int) throws(Fault) -> Subscription.State {
        switch text.lowercased() {
        case "yes", "true", "1", "subscribed": return .subscribed
        case "no", "false", "0", "unsubscribed": return .unsubscribed
        case "unconfirmed": return .unconfirmed
        default: throw Fault(column: place, problem: "'\(Self.shown(text))' is none of yes, no and unconfirmed")
        }
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String, _ place: Int) throws(Fault) -> Choice {
        if let choice = Choice(rawValue: text.lowercased()) { return choice }
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw Fault(column: place, problem: "'\(Self.shown(text))' is not allowed; it is one of \(names)")
    }

    /// The syntax of RFC 5646 section 2.1, without its registry: subtags of one to eight letters and digits.
    private static func isLanguage(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard text.utf8.count <= 35, let first = parts.first, (2...8).contains(first.count), first.allSatisfy(\.isLetter) else {
            return false
        }
        return parts.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy { $0.isLetter || $0.isDigit } }
    }

    private static let zones = Set(TimeZone.knownTimeZoneIdentifiers).union(["UTC", "GMT"])

    private static func shown(_ text: String) -> String { SingleLine.clean(text.utf8, longest: 80) }
}
