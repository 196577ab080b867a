package import Model

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// What workers need to know of the mailings in work: definition, state and speed.
package struct PublishedMailings: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Puts a mailing up, or its new state and speed.
    /// - Parameter speed: the limit as text; empty for none.
    /// - Throws: `RedisError.void` when the dispatcher has not the leadership any more.
    package func publish(
        _ id: MailingID, _ mailing: Mailing, state: MailingState, speed: String, fencingToken: FencingToken
    ) async throws(RedisError) {
        let definition: [UInt8]
        do { definition = try [UInt8](JSONEncoder().encode(mailing)) } catch { throw .unexpected("mailing \(id): \(error)") }
        let reply = try await broker.redis.run(
            Scripts.publish, keys: [broker.keys.mailing(id), broker.keys.fencingToken],
            arguments: [
                .text(fencingToken.text), "definition", .bytes(definition), "state", .text(state.rawValue), "speed", .text(speed),
            ])
        if reply.int != 1 { throw .void }
    }

    /// The mailing's definition; nil when it is not up (any more).
    package func definition(_ id: MailingID) async throws(RedisError) -> Mailing? {
        guard let bytes = try await broker.redis.send(["HGET", .text(broker.keys.mailing(id)), "definition"]).bytes else {
            return nil
        }
        do { return try JSONDecoder().decode(Mailing.self, from: Data(bytes)) } catch {
            throw .unexpected("mailing \(id): \(error)")
        }
    }

    /// What operators may change: state and limit (as text; empty for none); nil when the mailing is not up.
    package func controls(_ id: MailingID) async throws(RedisError) -> (state: MailingState, speed: String)? {
        let values = try await broker.redis.send(["HMGET", .text(broker.keys.mailing(id)), "state", "speed"]).array ?? []
        guard values.count == 2, let state = values[0].text.flatMap(MailingState.init), let speed = values[1].text else {
            return nil
        }
        return (state, speed)
    }

    /// Takes a mailing down that has ended.
    /// - Throws: `RedisError.void` when the dispatcher has not the leadership any more.
    package func remove(_ id: MailingID, fencingToken: FencingToken) async throws(RedisError) {
        try await broker.remove([broker.keys.mailing(id), broker.keys.fed(id)], fencingToken: fencingToken)
    }

    /// The mailings that are up.
    package func all() async throws(RedisError) -> [MailingID] {
        let head = broker.keys.prefix + ":mailing:"
        var found: [MailingID] = []
        var cursor = "0"
        repeat {
            let reply = try await broker.redis.send(["SCAN", .text(cursor), "MATCH", .text(head + "*"), "COUNT", "1000"])
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array else {
                throw .unexpected("SCAN: \(reply)")
            }
            cursor = next
            found += keys.compactMap { $0.text.flatMap { MailingID(String($0.dropFirst(head.count))) } }
        } while cursor != "0"
        return found
    }
}

extension Broker {
    /// Removes keys, if the dispatcher has the leadership.
    func remove(_ names: [String], fencingToken: FencingToken) async throws(RedisError) {
        let reply = try await redis.run(
            Scripts.remove, keys: [keys.fencingToken] + names, arguments: [.text(fencingToken.text)])
        if reply.int != 1 { throw .void }
    }
}
