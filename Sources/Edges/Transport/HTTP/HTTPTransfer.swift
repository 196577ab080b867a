import CCurl
import Glibc
import Model

/// One of libcurl's easy handles with what it needs for a request, used for one message after another.
final class HTTPTransfer {
    /// Bytes of a response's body that are taken at most.
    static let bodyLimit = 1_048_576

    let handle: UnsafeMutableRawPointer
    private let shape: HTTPRequestTemplate
    private let isEncrypted: Bool
    /// The head of the header list: the idempotency key, written anew for each request, before the lines all share.
    private let keyLine: UnsafeMutablePointer<curl_slist>
    private var keyCapacity = 128
    /// The first and the last header line of the message alone, before those that all share; nil for none.
    private var ownLines: (first: UnsafeMutablePointer<curl_slist>, last: UnsafeMutablePointer<curl_slist>)?
    private let failure: UnsafeMutablePointer<CChar>

    /// The message on its way: a place in a group; nil when the handle is free, or connects only.
    private(set) var job: HTTPJob?
    private(set) var index = 0
    /// When the request began to be written, by `MonotonicClock`; nil before.
    private(set) var began: Int64?
    /// Somebody waits for its response apart from its group.
    var late: LateResponse?
    /// Nothing was sent, because credentials would have gone in clear to another machine.
    private(set) var isClearRefused = false
    private var received = 0
    private(set) var body: [UInt8] = []

    private static let keyName = Array("Idempotency-Key: ".utf8)

    init?(_ shape: HTTPRequestTemplate, _ provider: Provider) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.shape = shape
        isEncrypted = provider.scheme == .https
        keyLine = .allocate(capacity: 1)
        let line = UnsafeMutablePointer<CChar>.allocate(capacity: keyCapacity)
        line.initialize(to: 0)
        keyLine.initialize(to: curl_slist(data: line, next: shape.lines))
        failure = .allocate(capacity: Int(CURL_ERROR_SIZE))
        failure.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        configure(provider)
        let owner = Unmanaged.passUnretained(self).toOpaque()
        flotilla_curl_set_pointer(handle, CURLOPT_PRIVATE, owner)
        flotilla_curl_on_body(handle, bodyComes, owner)
        flotilla_curl_on_request(handle, requestBegan, owner)
    }

    deinit {
        curl_easy_cleanup(handle)
        freeOwnLines()
        keyLine.pointee.data.deallocate()
        keyLine.deallocate()
        failure.deallocate()
    }

    private func configure(_ provider: Provider) {
        flotilla_curl_set_pointer(handle, CURLOPT_CURLU, UnsafeRawPointer(shape.url))
        flotilla_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        // No proxies from the environment: only the configuration says how a provider is reached.
        flotilla_curl_set_text(handle, CURLOPT_PROXY, "")
        flotilla_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        flotilla_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        flotilla_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        flotilla_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(Int(provider.connectTimeout.milliseconds), 1))
        let version = provider.scheme == .https ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        flotilla_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(version))
        // RFC 8996 forbids what is older.
        flotilla_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = provider.caFile {
            flotilla_curl_set_text(handle, CURLOPT_CAINFO, file)
            flotilla_curl_set_pointer(handle, CURLOPT_CAPATH, nil)
        }
        flotilla_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, failure)
        flotilla_curl_set_long(handle, CURLOPT_POST, 1)
        flotilla_curl_set_headers(handle, keyLine)
    }

    /// Makes it a connection without a request.
    func connectOnly() { flotilla_curl_set_long(handle, CURLOPT_CONNECT_ONLY, 1) }

    /// Makes ready to send a message of a group; its text must stay where it is until `end`.
    func begin(_ job: HTTPJob, _ index: Int) {
        self.job = job
        self.index = index
        let text = job.body(of: index)
        flotilla_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, text.count)
        flotilla_curl_set_pointer(handle, CURLOPT_POSTFIELDS, text.baseAddress)
        writeKey(job.group.messages[index].key)
        setOwnLines(job.group.messages[index].headers)
        failure.pointee = 0
        isClearRefused = false
    }

    /// Whether anything of the request was sent. libcurl counts what the system took; within TLS it counts what it gave to
    /// TLS, or to HTTP/2, which may have sent more than it says, so there the beginning alone counts.
    var mayHaveArrived: Bool {
        guard began != nil else { return false }
        guard !isEncrypted else { return true }
        var head = 0
        var body: curl_off_t = 0
        flotilla_curl_get_long(handle, CURLINFO_REQUEST_SIZE, &head)
        flotilla_curl_get_offset(handle, CURLINFO_SIZE_UPLOAD_T, &body)
        return head > 0 || body > 0
    }

    /// Lets it be removed without waiting for a name that is being looked up.
    func leavesQuickly() { flotilla_curl_set_long(handle, CURLOPT_QUICK_EXIT, 1) }

    /// Makes free for the next message.
    func end() {
        job = nil
        late = nil
        began = nil
        received = 0
        if body.capacity > 4096 { body = [] } else { body.removeAll(keepingCapacity: true) }
    }

    /// Puts the message's own header lines before those that all share. One with a control character, which
    /// could end it, is skipped.
    private func setOwnLines(_ lines: [String]) {
        guard ownLines != nil || !lines.isEmpty else { return }
        freeOwnLines()
        var first: UnsafeMutablePointer<curl_slist>?
        for line in lines where !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            guard let longer = curl_slist_append(first, line) else { break }
            first = longer
        }
        if let first {
            var last = first
            while let next = last.pointee.next { last = next }
            last.pointee.next = keyLine
            ownLines = (first, last)
        }
        flotilla_curl_set_headers(handle, first ?? keyLine)
    }

    private func freeOwnLines() {
        guard let (first, last) = ownLines else { return }
        last.pointee.next = nil
        curl_slist_free_all(first)
        ownLines = nil
    }

    private func writeKey(_ key: String) {
        var key = key
        key.withUTF8 { key in
            let length = Self.keyName.count + key.count + 1
            if length > keyCapacity {
                keyLine.pointee.data.deallocate()
                keyLine.pointee.data = .allocate(capacity: length)
                keyCapacity = length
            }
            let line = UnsafeMutableRawBufferPointer(start: keyLine.pointee.data, count: keyCapacity)
            line.copyBytes(from: Self.keyName)
            for (place, byte) in key.enumerated() {
                line[Self.keyName.count + place] = byte > 0x20 && byte < 0x7f ? byte : UInt8(ascii: "_")
            }
            line[length - 1] = 0
        }
    }

    /// What libcurl wrote about a failure; empty where it wrote nothing.
    var failureText: String { String(cString: failure) }

    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        received += bytes.count
        body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, Self.bodyLimit - body.count))))
        return received <= Self.bodyLimit
    }

    /// - Parameter peer: the address of the server that is connected.
    fileprivate func requestBegins(_ peer: UnsafePointer<CChar>?) -> Bool {
        guard !mayHaveArrived else { return false }
        if shape.hasCredentials, !isEncrypted, !(peer.map { PeerAddress.isLoopback(String(cString: $0)) } ?? false) {
            isClearRefused = true
            return false
        }
        began = MonotonicClock.now()
        return true
    }
}

private func transfer(_ owner: UnsafeMutableRawPointer) -> HTTPTransfer {
    Unmanaged<HTTPTransfer>.fromOpaque(owner).takeUnretainedValue()
}

private let bodyComes: curl_write_callback = { bytes, size, count, owner in
    guard let owner, let bytes else { return 0 }
    return transfer(owner).receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

/// Refuses credentials in clear to another machine, and the second start of a request. libcurl sends a request again by itself when a kept
/// connection ends without a response, but the provider may have taken the message, and a recipient would get it twice.
private let requestBegan: curl_prereq_callback = { owner, peer, _, _, _ in
    guard let owner else { return CURL_PREREQFUNC_ABORT }
    return transfer(owner).requestBegins(peer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
