import Model
import Policy

/// A message that did not reach its recipient, because of the recipient's address.
struct Bounce {
    var place: DeliveryAddresses.Place
    var kind = BounceKind.hard
    var reason: ResponseReason
    /// Empty where it is not known.
    var provider: String
    /// When, in milliseconds since 1970.
    var at: Int64
}

extension SQLLedger {
    /// Suppresses the addresses that messages bounced from, for soft bounces some in a row, with a few statements for all of them. A
    /// suppression that a person removed since the bounce does not come back.
    /// - Parameters:
    ///   - rules: for how long.
    ///   - audit: the order that adds them; nil for a provider's answer, which is none.
    ///   - isNews: as that of `suppress`.
    /// - Returns: what is in force of these addresses.
    static func suppress(
        _ db: any SQLTransaction, _ bounces: [Bounce], _ rules: SuppressionRules, _ audit: SuppressionAudit?, isNews: Bool, now: Int64
    ) throws -> [Suppression] {
        guard !bounces.isEmpty else { return [] }
        let keys = try DeliveryAddresses.load(db, bounces.map(\.place))
        let soft = try SoftBounces.count(db, bounces, keys, rules)
        let all = (bounces.filter { $0.kind == .hard } + soft).compactMap { bounce in
            keys[bounce.place].map {
                Suppression(
                    $0, reason: .hardBounce, source: bounce.place.name, provider: bounce.provider, at: bounce.at,
                    expires: rules.expiry(of: bounce.kind, bounce.reason, at: bounce.at))
            }
        }
        guard !all.isEmpty else { return [] }
        let known = try suppressions(db, all.map(\.key))
        let removed = try removed(db, all.filter { known[$0.key] == nil })
        let new = all.filter { one in known[one.key].map { $0.merged(with: one) != $0 } ?? !removed.contains(one.key) }
        if !new.isEmpty { _ = try suppress(db, new, audit, isNews: isNews, now: now) }
        let list = try suppressions(db, all.map(\.key))
        return list.values.filter { $0.isInForce(at: now) }.sorted { $0.key.address < $1.key.address }
    }
}

extension SQLLedger {
    /// Takes addresses off the list that only these messages brought there: they have arrived after all.
    /// - Returns: the keys of those that were removed.
    static func liftBounces(_ db: any SQLTransaction, of places: [DeliveryAddresses.Place], now: Int64) throws -> [Suppression.Key] {
        guard !places.isEmpty else { return [] }
        let keys = try DeliveryAddresses.load(db, places)
        let list = try suppressions(db, Array(keys.values))
        let lifted = keys.filter { place, key in
            list[key].map { $0.reason == .hardBounce && $0.source == place.name } ?? false
        }
        guard !lifted.isEmpty else { return [] }
        return try unsuppress(db, Array(lifted.values), nil, now: now).map(\.key)
    }
}

extension DeliveryAddresses.Place {
    /// The message's id, `MAILING.BATCH.INDEX`.
    var name: String { batch.message(index) }
}
