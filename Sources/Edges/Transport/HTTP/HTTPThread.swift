// CCurl too: its headers may be where the compiler first meets C's own types.
import CCurl
import Glibc
import Logging
import Model
import Policy

/// The thread of one transport.
enum HTTPThread {
    /// What the thread needs, handed over as a pointer.
    private final class Start {
        let provider: Provider
        let responses: ResponseTable
        let queue: HTTPCommandQueue
        let fleet: @Sendable () -> Int
        let logger: Logger

        init(
            provider: Provider, responses: ResponseTable, queue: HTTPCommandQueue, fleet: @escaping @Sendable () -> Int, logger: Logger
        ) {
            self.fleet = fleet
            self.provider = provider
            self.responses = responses
            self.queue = queue
            self.logger = logger
        }

        func run() {
            // Signals are for other threads; a connection that breaks is told by its error, not by SIGPIPE.
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            let end: HTTPCommandQueue.End
            do throws(TransportError) {
                let engine = try HTTPEngine(
                    provider: provider, responses: responses, queue: queue, metrics: HTTPMetrics(provider: provider.name), fleet: fleet)
                engine.run()
                end = .closed
            } catch {
                logger.error("provider cannot be used", metadata: ["reason": .string(error.description)])
                end = .failed(error)
            }
            queue.end(end)
        }
    }

    /// Starts it; it ends after `queue.close`. Where none can be had, whatever the queue gets is answered with that.
    static func start(
        provider: Provider, responses: ResponseTable, queue: HTTPCommandQueue, fleet: @escaping @Sendable () -> Int, logger: Logger
    ) {
        let start = Unmanaged.passRetained(
            Start(provider: provider, responses: responses, queue: queue, fleet: fleet, logger: logger))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { start in
                if let start { Unmanaged<Start>.fromOpaque(start).takeRetainedValue().run() }
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            start.release()
            let reason = String(cString: strerror(failure))
            queue.end(
                .failed(
                    TransportError(
                        description: """
                            provider '\(provider.name)': no thread could be started: \(reason); \
                            raise the limit of tasks
                            """,
                        action: .reconnect, stage: .connect)))
            return
        }
        pthread_detach(thread)
    }
}
