import Synchronization

/// How many messages a worker has taken and not finished, by provider, and whether it should take more.
///
/// A worker holds what keeps the connections of its providers busy, and leaves the rest to others: a small mailing is shared among
/// the workers of a slow provider, too.
final class Held: Sendable {
    private struct Bin {
        var messages = 0
        /// Messages that are enough for the provider, as fast as it is now.
        var load: @Sendable () -> Int
    }

    private struct State {
        var total = 0
        /// Of which it is not known yet whose they are.
        var unknown = 0
        var bins: [String: Bin] = [:]
        var waiter: UnsafeContinuation<Void, Never>?

        /// - Parameters:
        ///   - first: messages that are enough while no provider is known.
        ///   - most: messages that are enough for all together.
        func isLow(_ first: Int, _ most: Int) -> Bool {
            guard total < most else { return false }
            return bins.isEmpty ? unknown < first : bins.values.contains { $0.messages + unknown < $0.load() }
        }
    }

    private let first: Int
    private let most: Int
    private let state = Mutex(State())

    init(first: Int, most: Int) {
        self.first = first
        self.most = most
    }

    /// What is held of one batch, until it is done or given back; doing more than that changes nothing.
    final class Share: Sendable {
        private struct State {
            var messages: Int
            var provider: String?
        }

        private let held: Held
        private let state: Mutex<State>

        fileprivate init(_ held: Held, _ messages: Int) {
            self.held = held
            state = Mutex(State(messages: messages))
        }

        /// It is known whose messages they are.
        /// - Parameter load: messages that are enough for that provider.
        func assign(to provider: String, load: @escaping @Sendable () -> Int) {
            state.withLock { state in
                guard state.provider == nil else { return }
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

    /// Forgets providers that no mailing here needs.
    func keep(_ providers: Set<String>) {
        change { state in state.bins = state.bins.filter { $0.value.messages > 0 || providers.contains($0.key) } }
    }

    private func assign(_ messages: Int, to provider: String, load: @escaping @Sendable () -> Int) {
        change { state in
            state.unknown -= messages
            state.bins[provider, default: Bin(load: load)].messages += messages
            state.bins[provider]?.load = load
        }
    }

    private func remove(_ count: Int, of provider: String?) {
        change { state in
            state.total -= count
            if let provider { state.bins[provider]?.messages -= count } else { state.unknown -= count }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            body(&state)
            guard state.waiter != nil, state.isLow(first, most) else { return nil }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Less than a load is held.
    var isLow: Bool { state.withLock { $0.isLow(first, most) } }

    /// Waits until less than a load is held; one task at a time may wait.
    func untilLow() async {
        await withUnsafeContinuation { continuation in
            let isLow = state.withLock { state in
                if state.isLow(first, most) { return true }
                state.waiter = continuation
                return false
            }
            if isLow { continuation.resume() }
        }
    }
}
