package import Model

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// What workers need to know of the mailings in work: definition, state and speed.
package struct PublishedMailings: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// A mailing to be published, or its new state and speed.
    package struct Publication: Sendable {
        package var id: MailingID
        /// Nil leaves the definition that was published before.
        package var definition: Mailing?
        package var state: MailingState
        /// The limit as text; empty for none.
        package var speed: String

        package init(id: MailingID, definition: Mailing?, state: MailingState, speed: String) {
            self.id = id
            self.definition = definition
            self.state = state
            self.speed = speed
        }
    }

    /// Publishes mailings, and wakes the workers that send them.
    /// - Throws: `RedisError.epochEnded` when another dispatcher leads.
    package func publish(_ publications: [Publication], fencingToken: FencingToken) async throws(RedisError) {
        var calls: [(keys: [String], arguments: [RedisArgument])] = []
        for one in publications {
            var fields: [RedisArgument] = ["state", .text(one.state.rawValue), "speed", .text(one.speed)]
            if let definition = one.definition {
                do { fields += ["definition", .bytes(try [UInt8](JSONEncoder().encode(definition)))] } catch {
                    throw .unexpected("mailing \(one.id): \(error)")
                }
            }
            calls.append(
                (
                    [broker.keys.mailing(one.id), broker.keys.leader, broker.keys.wake],
                    [.text(fencingToken.text), .text("\(one.id)")] + fields
                ))
        }
        for reply in try await broker.redis.run(Scripts.publish, calls: calls) {
            if case .error(let text) = reply { throw .command(text) }
            if reply.int != 1 { throw .epochEnded }
        }
    }

    /// Tells the workers of a person's order in the dispatcher's stead, and wakes those that send the mailing.
    /// - Parameter speed: the limit as text; empty for none.
    /// - Returns: false when the mailing is not published: then no worker can start a message of it.
    package func order(_ id: MailingID, state: MailingState, speed: String) async throws(RedisError) -> Bool {
        let reply = try await broker.redis.run(
            Scripts.order, keys: [broker.keys.mailing(id), broker.keys.wake],
            arguments: [.text("\(id)"), "state", .text(state.rawValue), "speed", .text(speed)])
        return reply.int == 1
    }

    /// The mailing's definition; nil when it is not published (any more).
    package func definition(_ id: MailingID) async throws(RedisError) -> Mailing? {
        guard let bytes = try await broker.redis.send(["HGET", .text(broker.keys.mailing(id)), "definition"]).bytes else {
            return nil
        }
        do { return try JSONDecoder().decode(Mailing.self, from: Data(bytes)) } catch {
            throw .unexpected("mailing \(id): \(error)")
        }
    }

    /// What operators may change of a mailing.
    package struct Controls: Sendable, Equatable {
        package var state: MailingState
        /// The limit as text; empty for none.
        package var speed: String

        package init(state: MailingState, speed: String) {
            self.state = state
            self.speed = speed
        }
    }

    /// What operators may change; nil when the mailing is not published.
    package func controls(_ id: MailingID) async throws(RedisError) -> Controls? { try await controls([id])[0] }

    /// The same of several mailings, in their order, in one round trip.
    package func controls(_ ids: [MailingID]) async throws(RedisError) -> [Controls?] {
        let replies = try await broker.redis.pipeline(ids.map { ["HMGET", .text(broker.keys.mailing($0)), "state", "speed"] })
        for case .error(let text) in replies { throw .command(text) }
        return replies.map { reply in
            guard let values = reply.array, values.count == 2, let state = values[0].text.flatMap(MailingState.init),
                let speed = values[1].text
            else { return nil }
            return Controls(state: state, speed: speed)
        }
    }

    /// Removes a mailing that has ended.
    /// - Throws: `RedisError.epochEnded` when another dispatcher leads.
    package func remove(_ id: MailingID, fencingToken: FencingToken) async throws(RedisError) {
        try await broker.remove([broker.keys.mailing(id), broker.keys.dispatched(id), broker.keys.reached(id)], fencingToken: fencingToken)
    }

    /// Those of some mailings that are not published.
    package func missing(_ ids: [MailingID]) async throws(RedisError) -> [MailingID] {
        guard !ids.isEmpty else { return [] }
        let keys = ids.map { RedisArgument.text(broker.keys.mailing($0)) }
        guard try await broker.redis.send(["EXISTS"] + keys).int != Int64(ids.count) else { return [] }
        let replies = try await broker.redis.pipeline(keys.map { ["EXISTS", $0] })
        return zip(ids, replies).filter { $1.int == 0 }.map(\.0)
    }

    /// The mailings that are published.
    package func all() async throws(RedisError) -> [MailingID] {
        let head = broker.keys.tag + ":mailing:"
        return try await broker.scan(head + "*").joined().compactMap { MailingID(String($0.dropFirst(head.count))) }
    }
}

extension Broker {
    /// Removes keys, if the dispatcher leads.
    func remove(_ names: [String], fencingToken: FencingToken) async throws(RedisError) {
        let reply = try await redis.run(
            Scripts.remove, keys: [keys.leader] + names, arguments: [.text(fencingToken.text)])
        if reply.int != 1 { throw .epochEnded }
    }

    /// The names of keys that match a pattern, as Redis hands them out: about a thousand at a time.
    func scan(_ pattern: String) async throws(RedisError) -> [[String]] {
        var found: [[String]] = []
        var cursor = "0"
        repeat {
            let reply = try await redis.send(["SCAN", .text(cursor), "MATCH", .text(pattern), "COUNT", "1000"])
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array else {
                throw .unexpected("SCAN: \(reply)")
            }
            cursor = next
            found.append(keys.compactMap(\.text))
        } while cursor != "0"
        return found
    }
}
