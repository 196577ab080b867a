import Delivery
import Model
import Policy
import Settings
import Telemetry

/// How a worker of this process works.
extension RoleRuntime {
    var workerConfiguration: WorkerConfiguration {
        let worker = settings.worker
        var configuration = WorkerConfiguration(id: name, hostname: settings.email.hostname)
        configuration.channels = worker.channels
        configuration.concurrency = worker.concurrency
        configuration.group = worker.group
        configuration.prefetchBytes = worker.prefetchBytes
        configuration.connections = connections
        configuration.flush = worker.flush
        configuration.lease = worker.lease
        configuration.maximumDeliveries = worker.maxDeliveries
        configuration.grace = settings.shutdown.grace
        configuration.retries = retries
        configuration.responses = worker.responses
        configuration.refusals = settings.refusals
        configuration.limits = settings.limits
        configuration.providers = settings.providers
        configuration.showsAddresses = settings.log.addresses == .shown
        configuration.health = { [readiness] part, problem in readiness.set(part, ready: problem == nil, why: problem ?? "") }
        guard isPrivate else { return configuration }
        // Nobody takes over when this process ends, so few messages are started and not reported. Redis is near.
        configuration.groupTime = .milliseconds(100)
        configuration.flush = min(configuration.flush, .milliseconds(20))
        return configuration
    }

    private var retries: RetrySchedule? {
        guard let base = settings.worker.retryBase else { return nil }
        return RetrySchedule(base: base.seconds, cap: max(base, settings.worker.retryCap).seconds)
    }
}
