import Model

/// What of a mailing is made ready by itself: its content for one channel.
struct MailingPart: Hashable {
    var mailing: MailingID
    var channel: Channel

    init(_ mailing: MailingID, _ channel: Channel) {
        self.mailing = mailing
        self.channel = channel
    }
}

/// Which mailings a worker has made ready, and which wait for their providers or definitions; the machine of `MailingCache`. It holds at
/// most the mailings that were published at the last refresh. Times are parameters.
struct MailingCacheState<Ready> {
    /// How often the size of the fleet is asked for.
    static var fleetInterval: Duration { .seconds(5) }

    private(set) var ready: [MailingPart: Ready] = [:]
    /// The providers of mailings that are not ready yet, by name.
    private(set) var connecting: [MailingPart: String] = [:]
    /// Mailings whose definition could not be read, and is awaited once more.
    private var discarded: Set<MailingID> = []
    private var fleetAsked: ContinuousClock.Instant?

    /// No mailing is known, and none waits for its provider or its definition.
    var isIdle: Bool { ready.isEmpty && connecting.isEmpty && discarded.isEmpty }

    /// Those of some mailings that are ready, or whose definition is awaited; all of them for nil. A refresh asks what has become of them.
    func known(among some: Set<MailingID>?) -> [MailingID] {
        discarded.union(ready.keys.lazy.map(\.mailing)).filter { some?.contains($0) ?? true }
    }

    /// What is ready of a mailing, by whatever channel.
    func parts(of id: MailingID) -> [Ready] { Channel.allCases.compactMap { ready[MailingPart(id, $0)] } }

    /// Notes a definition that cannot be read.
    /// - Returns: whether it is to be published once more; false at the second time.
    mutating func noteUnreadable(_ id: MailingID) -> Bool { discarded.insert(id).inserted }

    /// Notes a definition that was read, and the provider that is connected to next.
    mutating func connect(_ part: MailingPart, to provider: String) {
        discarded.remove(part.mailing)
        if ready[part] == nil { connecting[part] = provider }
    }

    /// Notes that the provider of a mailing was reached, or that nobody waits for the mailing any more.
    mutating func endConnecting(_ part: MailingPart) { connecting[part] = nil }

    /// Adds a mailing that was made ready.
    /// - Returns: the one to use. Of several that were made ready for batches that came together the first one stays.
    mutating func add(_ part: MailingPart, _ made: Ready) -> Ready {
        connecting[part] = nil
        if let known = ready[part] { return known }
        ready[part] = made
        return made
    }

    /// Forgets a mailing that is not published any more.
    /// - Returns: what was ready of it.
    mutating func remove(_ id: MailingID) -> [Ready] {
        discarded.remove(id)
        return Channel.allCases.compactMap { ready.removeValue(forKey: MailingPart(id, $0)) }
    }

    /// Whether the size of the fleet is to be asked for now; it counts as asked then.
    mutating func isFleetDue(at now: ContinuousClock.Instant) -> Bool {
        if let fleetAsked, now - fleetAsked < Self.fleetInterval { return false }
        fleetAsked = now
        return true
    }
}
