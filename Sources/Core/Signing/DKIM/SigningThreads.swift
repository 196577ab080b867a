import Dispatch
import Foundation
import Synchronization

/// Threads that sign: a signature by RSA takes a quarter of a millisecond, in which no event loop and no other task shall wait.
package final class SigningThreads: Sendable {
    private let queues: [DispatchQueue]
    private let turn = Atomic<Int>(0)

    /// - Parameter count: of threads, from 1.
    package init(count: Int = ProcessInfo.processInfo.activeProcessorCount) {
        queues = (0..<max(1, count)).map { DispatchQueue(label: "flotilla.signing.\($0)") }
    }

    /// Runs work on the next thread, behind what waits there.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            start { continuation.resume(returning: body()) }
        }
    }

    /// The same for who does not wait.
    package func start(_ body: @escaping @Sendable () -> Void) {
        let place = turn.wrappingAdd(1, ordering: .relaxed).newValue
        queues[Int(UInt(bitPattern: place) % UInt(queues.count))].async(execute: body)
    }
}
