import Broker
import Logging
import Model
import Policy

extension Worker {
    /// Renews the lease while anything is in flight, and finds workers whose lease has expired.
    func keepLease() async {
        var backoff = Backoff()
        var search = TakeoverSearch(renewal: worker.lease.interval)
        while !worker.isDone {
            do throws(RedisError) {
                let couldTake = worker.lease.mayTake
                try await worker.lease.renew()
                worker.configuration.health("lease", nil)
                if worker.lease.mayTake != couldTake { worker.demand.notify() }
                if worker.isStopping, worker.lease.isConfirmed { worker.changes.notify() }
                try await findExpired(&search)
                backoff = Backoff()
                await worker.renewal.wait(atMost: nextRenewal)
            } catch {
                if backoff.count % 20 == 0 { worker.logger.warning("the lease cannot be renewed: \(error)") }
                worker.configuration.health("lease", "it cannot be renewed: \(error)")
                guard await backoff.wait(on: worker.changes, unless: { worker.isDone }) else { return }
            }
        }
    }

    /// The interval of a worker that stops, and waits for its last results to be confirmed, or that is not admitted: the wake-up stream
    /// announces the admission, and this is its fallback.
    private var nextRenewal: Duration {
        if worker.isStopping { return .milliseconds(20) }
        return worker.lease.mayTake ? worker.lease.interval : min(worker.lease.interval, .milliseconds(250))
    }

    /// Takes over batches of workers that have ended.
    private func findExpired(_ search: inout TakeoverSearch) async throws(RedisError) {
        guard !worker.isStopping, worker.lease.mayTake, worker.lease.mayTakeOver else { return }
        let registry = WorkerRegistry(broker)
        for dead in search.look(
            try await registry.all(lease: worker.configuration.lease).workers, except: worker.configuration.id, at: worker.clocks.now)
        {
            let leases = try await worker.queue.takeOver(
                dead, worker: worker.configuration.id, count: Self.takeoversAtOnce, lease: worker.configuration.lease)
            if leases.isEmpty {
                try await registry.forget(dead.worker)
            } else {
                return worker.arrive(leases)
            }
        }
    }

    /// Several workers share the batches of a dead one.
    private static var takeoversAtOnce: Int { 4 }
}
