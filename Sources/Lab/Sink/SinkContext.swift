import Logging
import Model
import NIOSSL
import Synchronization
import Telemetry

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What all connections of a sink share.
final class SinkContext: Sendable {
    let configuration: SinkConfiguration
    let faultSelector: FaultSelector
    let records: RecordFile?
    /// What the limit lets through; nil for no limit.
    let bucket: TokenBucket?
    let counter = SinkCounter()
    /// Connections at once: as configured, and no more than the descriptors allow.
    let mostConnections: Int
    let tls: NIOSSLContext?
    let smtpResponses: SMTPResponses
    let httpResponses: HTTPResponses
    let logger: Logger
    private let ids: Atomic<UInt64>

    /// - Parameter firstID: where the sink's own names of messages begin; the time, so that two runs share none.
    /// - Throws: `SinkError` when the record file, the certificate or the key cannot be used.
    init(_ configuration: SinkConfiguration, logger: Logger, firstID: UInt64) throws(SinkError) {
        self.configuration = configuration
        self.logger = logger
        let possible = OpenFiles.connections()
        mostConnections = configuration.maxConnections > 0 ? min(configuration.maxConnections, possible) : possible
        faultSelector = FaultSelector(profile: configuration.failures, latency: configuration.latency, seed: configuration.seed)
        bucket = configuration.limit.map { TokenBucket($0.rate) }
        tls = try configuration.certificate.map { certificate throws(SinkError) in try Self.context(certificate) }
        if let path = configuration.record {
            records = try RecordFile(path: path, logger: logger)
        } else {
            records = nil
        }
        smtpResponses = SMTPResponses(configuration)
        httpResponses = HTTPResponses(configuration)
        ids = Atomic(firstID)
    }

    /// A name for the next message.
    func nextID() -> UInt64 { ids.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Counts a message against the limit.
    /// - Returns: the limit, when the message comes too fast.
    func limit(at now: Int64) -> SinkLimit? {
        guard let bucket, !bucket.take(at: now) else { return nil }
        return configuration.limit
    }

    /// Counts what became of a message, and records it.
    func note(_ line: RecordLine) {
        records?.append(line)
        let accepted = line.accepted
        let code = line.code
        counter.add { counts in
            if accepted {
                counts.accepted += 1
                if code == 0 { counts.unanswered += 1 }
            } else if code == 0 {
                counts.dropped += 1
            } else {
                counts.refused[code, default: 0] += 1
            }
        }
    }

    /// The time in microseconds since 1970.
    static func now() -> Int64 { Clock.microseconds() }

    private static func context(_ certificate: SinkConfiguration.Certificate) throws(SinkError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate.chain).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: certificate.key, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        } catch {
            throw SinkError("cannot use the certificate \(certificate.chain) with the key \(certificate.key): \(error)")
        }
    }
}
