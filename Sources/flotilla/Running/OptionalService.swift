import CommandSupport
import Logging
import ServiceLifecycle

/// A service whose failure is logged and does not end the process.
struct OptionalService: Service {
    let service: any Service
    let logger: Logger

    func run() async throws {
        do {
            try await service.run()
        } catch {
            logger.warning("\(PlainError.of(error))")
            // A service that ends before it is asked to would end the others with an error.
            try? await gracefulShutdown()
        }
    }
}
