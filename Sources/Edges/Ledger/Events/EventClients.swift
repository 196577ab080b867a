import Model

/// What a visitor's program says it is, and the named range of addresses that it came from.
struct EventClient: Hashable {
    var agent: String
    var network: String

    init(_ event: TrackedEvent) { (agent, network) = (event.agent, event.network) }
    init(agent: String, network: String) { (self.agent, self.network) = (agent, network) }
}

/// The numbers of clients, within one transaction: a few thousand different ones make millions of events.
struct EventClients {
    private let db: any SQLTransaction
    private var numbers: [EventClient: Int64] = [:]
    private var clients: [Int64: EventClient] = [:]

    /// Clients of a ledger that are told apart, about, and the agent of all others.
    static let most: Int64 = 100_000
    static let other = "other"

    init(_ db: any SQLTransaction) { self.db = db }

    /// Has each of some clients have a number.
    mutating func note(_ wanted: Set<EventClient>) throws {
        let new = wanted.filter { numbers[$0] == nil }
        guard !new.isEmpty else { return }
        let ordered = new.sorted { ($0.agent, $0.network) < ($1.agent, $1.network) }
        let found: [Int64?] = try db.firstRows(
            "SELECT id FROM event_client WHERE agent = ? AND network = ?", ordered.map { [$0.agent, $0.network] }
        ) { row, _ in try row.read(0) }
        for (client, number) in zip(ordered, found) {
            if let number {
                numbers[client] = number
                clients[number] = client
            } else {
                let (number, kept) = try add(client)
                numbers[client] = number
                clients[number] = kept
            }
        }
    }

    /// Gives a new client a number. Strangers name any number of agents: beyond the bound one number is that of all others of a network.
    private func add(_ client: EventClient) throws -> (number: Int64, kept: EventClient) {
        var kept = client
        let last = try db.one(Int64.self, "SELECT max(id) FROM event_client") ?? 0
        if last >= Self.most {
            kept.agent = Self.other
            let known = try db.one(
                Int64.self, "SELECT id FROM event_client WHERE agent = ? AND network = ?", [kept.agent, kept.network])
            if let known { return (known, kept) }
        }
        let number = try db.one(
            Int64.self, "INSERT INTO event_client (agent, network) VALUES (?, ?) RETURNING id", [kept.agent, kept.network])
        guard let number else { throw SQLDamage("a client has no number") }
        return (number, kept)
    }

    /// Reads clients by their numbers; one that is not there is nobody's.
    mutating func load(_ wanted: Set<Int64>) throws {
        let new = wanted.filter { clients[$0] == nil }.sorted()
        let found: [EventClient?] = try db.firstRows("SELECT agent, network FROM event_client WHERE id = ?", new.map { [$0] }) { row, _ in
            try EventClient(agent: row.read(0), network: row.read(1))
        }
        for (number, client) in zip(new, found) {
            clients[number] = client ?? EventClient(agent: "", network: "")
            if let client { numbers[client] = number }
        }
    }

    func isLoaded(_ number: Int64) -> Bool { clients[number] != nil }

    /// The number of a client that was noted; 0 for one that was not.
    func number(of client: EventClient) -> Int64 { numbers[client] ?? 0 }

    /// A client that was noted or loaded.
    subscript(number: Int64) -> EventClient { clients[number] ?? EventClient(agent: "", network: "") }
}
