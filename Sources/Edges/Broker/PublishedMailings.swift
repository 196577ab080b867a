package import Model

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// The mailings in work as workers see them: definition, state and speed.
package struct PublishedMailings: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// A mailing to be published, or its new state and speed.
    package struct Publication: Sendable {
        package var id: MailingID
        /// Nil leaves the definition that was published before.
        package var definition: Mailing?
        /// What further channels send of it.
        package var contents: [Channel: MailingContent] = [:]
        /// Its number in the ledger, for links to the tracker; nil where it has none.
        package var number: UInt32?
        /// The tracker of those links, as the planner knows it.
        package var tracker: PublishedTracker?
        package var state: MailingState
        /// The limit as text; empty for none.
        package var speed: String

        package init(id: MailingID, definition: Mailing?, number: UInt32? = nil, state: MailingState, speed: String) {
            self.id = id
            self.definition = definition
            self.number = number
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
                let definition = MailingDefinition(definition, contents: one.contents, number: one.number, tracker: one.tracker)
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

    /// Publishes a person's order without a dispatcher, and wakes the workers that send the mailing.
    /// - Parameter speed: the limit as text; empty for none.
    /// - Returns: false when the mailing is not published: then no worker can start a message of it.
    package func order(_ id: MailingID, state: MailingState, speed: String) async throws(RedisError) -> Bool {
        let reply = try await broker.redis.run(
            Scripts.order, keys: [broker.keys.mailing(id), broker.keys.wake],
            arguments: [.text("\(id)"), "state", .text(state.rawValue), "speed", .text(speed)])
        return reply.int == 1
    }

    /// What Redis holds of a mailing.
    package enum Definition: Sendable {
        case known(MailingDefinition)
        /// It is not published (any more).
        case gone
        /// This release cannot read it; the text says why.
        case unreadable(String)
        /// It is of a newer release; the text says which.
        case newer(String)
    }

    /// The mailing's definition.
    package func definition(_ id: MailingID) async throws(RedisError) -> Definition {
        guard let bytes = try await broker.redis.send(["HGET", .text(broker.keys.mailing(id)), "definition"]).bytes else {
            return .gone
        }
        do {
            return .known(try JSONDecoder().decode(MailingDefinition.self, from: Data(bytes)))
        } catch let error as WireError where error.isNewer {
            return .newer(error.description)
        } catch {
            DeadLetters.count(.mailing)
            // The decoder's message would show the text.
            return .unreadable("its definition in Redis cannot be read by this release" + ((error as? WireError).map { ": \($0)" } ?? ""))
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

    /// What operators may change of several mailings, in their order and in one round trip; nil for one that is not published.
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

    /// The mailings among some that are not as they were published: Redis has lost them, or another program has changed them.
    package func altered(_ expected: [MailingID: Controls]) async throws(RedisError) -> [MailingID] {
        let all = expected.map { (id: $0.key, controls: $0.value) }
        let replies = try await broker.redis.run(Scripts.altered, on: all) { all in
            (
                all.map { broker.keys.mailing($0.id) },
                all.flatMap { [RedisArgument.text($0.controls.state.rawValue), .text($0.controls.speed)] }
            )
        }
        return zip(all.slices, replies).flatMap { slice, reply in (reply.array ?? []).compactMap { slice.element(at: $0.count)?.id } }
    }

    /// Removes a definition that cannot be read, so that the dispatcher publishes it again.
    package func discardDefinition(_ id: MailingID) async throws(RedisError) {
        _ = try await broker.redis.send(["HDEL", .text(broker.keys.mailing(id)), "definition"])
    }

    /// The mailings that are published.
    package func all() async throws(RedisError) -> [MailingID] {
        let head = broker.keys.tag + ":mailing:"
        return try await broker.redis.scan(head + "*").joined().compactMap { MailingID(String($0.dropFirst(head.count))) }
    }
}

extension Broker {
    /// Removes keys, if the dispatcher leads.
    func remove(_ names: [String], fencingToken: FencingToken) async throws(RedisError) {
        let reply = try await redis.run(
            Scripts.remove, keys: [keys.leader] + names, arguments: [.text(fencingToken.text)])
        if reply.int != 1 { throw .epochEnded }
    }
}
