import Synchronization

/// How many messages a worker holds and has not finished.
final class Held: Sendable {
    private struct State {
        var messages = 0
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let load: Int
    private let state = Mutex(State())

    init(load: Int) { self.load = load }

    /// What one batch holds, until it is given back; giving back twice changes nothing.
    final class Share: Sendable {
        private let held: Held
        private let messages: Mutex<Int>

        fileprivate init(_ held: Held, _ messages: Int) {
            self.held = held
            self.messages = Mutex(messages)
        }

        func giveBack() {
            let messages = messages.withLock { messages in
                defer { messages = 0 }
                return messages
            }
            if messages > 0 { held.remove(messages) }
        }
    }

    func take(_ messages: Int) -> Share {
        state.withLock { $0.messages += messages }
        return Share(self, messages)
    }

    private func remove(_ count: Int) {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            state.messages -= count
            guard state.messages < load else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until less than a load is held; one task at a time may wait.
    func untilLow() async {
        await withUnsafeContinuation { continuation in
            let isLow = state.withLock { state in
                if state.messages < load { return true }
                state.waiter = continuation
                return false
            }
            if isLow { continuation.resume() }
        }
    }
}
