import Model
import Synchronization

/// How many messages a worker has taken and not finished, by provider, and whether it should take more.
///
/// At once it takes what keeps the connections of the providers busy that it is sending to; more than that a batch now and then. So a
/// small mailing of a slow provider is shared among workers, and behind its batches nobody else's wait for long.
final class Prefetch: Sendable {
    private struct Bin {
        var messages = 0
        /// Messages that are enough for the provider, as fast as it is now.
        var load: @Sendable () -> Int
        /// CLOCK_MONOTONIC of the last that was finished.
        var last: Int64
    }

    private struct State {
        var total = 0
        /// Of which it is not known yet whose they are.
        var unknown = 0
        var bins: [String: Bin] = [:]
        var waiter: UnsafeContinuation<Void, Never>?
        var waitsSince: Int64 = 0

        /// - Parameters:
        ///   - first: messages that are enough while no provider is being sent to.
        ///   - most: messages that are enough for all together.
        func isLow(_ first: Int, _ most: Int, at now: Int64) -> Bool {
            guard total < most else { return false }
            let active = bins.values.filter { $0.messages > 0 || now - $0.last < Prefetch.rest }
            return active.isEmpty ? unknown < first : active.contains { $0.messages + unknown < $0.load() }
        }
    }

    /// A provider to which nothing was sent for so long, in nanoseconds, is not waited for.
    private static let rest: Int64 = 1_000_000_000
    /// Beyond what is enough, one batch is taken in that time, in nanoseconds.
    static let pause: Int64 = 500_000_000
    /// Up to so many times what is enough for all together.
    private static let backoff = 4

    private let first: Int
    private let most: Int
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameter now: nanoseconds.
    init(first: Int, most: Int, now: @escaping @Sendable () -> Int64 = { Clock.monotonic() }) {
        self.first = first
        self.most = most
        self.now = now
    }

    /// What is held of one batch, until it is done or given back; doing more than that changes nothing.
    final class Share: Sendable {
        private struct State {
            var messages: Int
            var provider: String?
        }

        private let held: Prefetch
        private let state: Mutex<State>

        fileprivate init(_ held: Prefetch, _ messages: Int) {
            self.held = held
            state = Mutex(State(messages: messages))
        }

        /// It is known whose messages they are.
        /// - Parameter load: messages that are enough for that provider.
        func assign(to provider: String, load: @escaping @Sendable () -> Int) {
            state.withLock { state in
                guard state.provider == nil, state.messages > 0 else { return }
                state.provider = provider
                held.assign(state.messages, to: provider, load: load)
            }
        }

        /// So many of its messages are finished.
        func finish(_ count: Int) {
            state.withLock { state in
                let count = min(count, state.messages)
                guard count > 0 else { return }
                state.messages -= count
                held.remove(count, of: state.provider)
            }
        }

        func giveBack() { finish(.max) }
    }

    func take(_ messages: Int) -> Share {
        state.withLock {
            $0.total += messages
            $0.unknown += messages
        }
        return Share(self, messages)
    }

    /// Nothing is being sent that counts here.
    var isIdle: Bool { state.withLock { $0.total == 0 } }

    private func assign(_ messages: Int, to provider: String, load: @escaping @Sendable () -> Int) {
        change { state in
            state.unknown -= messages
            var bin = state.bins[provider] ?? Bin(load: load, last: now())
            bin.messages += messages
            bin.load = load
            state.bins[provider] = bin
        }
    }

    private func remove(_ count: Int, of provider: String?) {
        change { state in
            state.total -= count
            guard let provider else {
                state.unknown -= count
                return
            }
            state.bins[provider]?.messages -= count
            state.bins[provider]?.last = now()
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            body(&state)
            guard state.waiter != nil, state.isLow(first, most, at: now()) else { return nil }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Lets who has waited for a while take one more. To be called now and then.
    func relent() {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            let now = now()
            state.bins = state.bins.filter { $0.value.messages > 0 || now - $0.value.last < Self.rest }
            guard state.total < Self.backoff * most, now - state.waitsSince >= Self.pause else { return nil }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Less than a load is held.
    var isLow: Bool { state.withLock { $0.isLow(first, most, at: now()) } }

    /// Waits until less than a load is held, or `relent` lets it go; one task at a time may wait.
    func untilLow() async {
        await withUnsafeContinuation { continuation in
            let isLow = state.withLock { state in
                if state.isLow(first, most, at: now()) { return true }
                state.waiter = continuation
                state.waitsSince = now()
                return false
            }
            if isLow { continuation.resume() }
        }
    }
}
