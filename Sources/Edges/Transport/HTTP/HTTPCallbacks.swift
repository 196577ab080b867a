import CCurl
import Glibc
import NIOCore

// What libcurl calls about sockets and time, on the thread of the engine that is the calls' owner.

private func engine(_ owner: UnsafeMutableRawPointer) -> HTTPEngine {
    Unmanaged<HTTPEngine>.fromOpaque(owner).takeUnretainedValue()
}

let socketChanges: curl_socket_callback = { _, socket, what, owner, _ in
    if let owner { engine(owner).watch(socket, for: what) }
    return 0
}

let timerChanges: curl_multi_timer_callback = { _, milliseconds, owner in
    if let owner { engine(owner).setTimer(milliseconds: milliseconds) }
    return 0
}

let socketOpens: curl_opensocket_callback = { owner, _, address in
    guard let owner, let address else { return CURL_SOCKET_BAD }
    return engine(owner).open(address)
}

let socketCloses: curl_closesocket_callback = { owner, socket in
    owner.map { engine($0).close(socket) } ?? Glibc.close(socket)
}

/// libcurl's state of the whole process, made at the first use.
enum LibCurl {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

extension NIODeadline {
    /// `MonotonicClock` and NIO count by the same clock.
    var nanoseconds: Int64 { Int64(uptimeNanoseconds) }
}

extension ProviderCapabilities {
    /// HTTP takes any byte and names no limit.
    static let http = ProviderCapabilities(eightBitMIME: true, smtpUTF8: true, maximumSize: nil)
}
