import Synchronization

/// A late response, which is waited for apart from its group. It is resolved in every case: at the latest when the transport ends.
package final class LateResponse: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<ProviderResponse?, Never>)
        case there(ProviderResponse?)
    }

    private let state = Mutex(State.open)

    package init() {}

    /// - Parameter response: nil where the message was not started after all, or cannot have arrived.
    package func resolve(_ response: ProviderResponse?) {
        let waiter = state.withLock { state -> CheckedContinuation<ProviderResponse?, Never>? in
            defer { if case .there = state {} else { state = .there(response) } }
            if case .awaited(let waiter) = state { return waiter }
            return nil
        }
        waiter?.resume(returning: response)
    }

    /// Waits for it, once.
    package func value() async -> ProviderResponse? {
        await withCheckedContinuation { waiter in
            let response = state.withLock { state -> ProviderResponse?? in
                if case .there(let response) = state { return .some(response) }
                state = .awaited(waiter)
                return nil
            }
            if let response { waiter.resume(returning: response) }
        }
    }
}
