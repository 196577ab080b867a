import Foundation

/// Seconds of CPU that this thread has used: a measure of work that holds beside other tests, which have the machine as well.
package func cpuTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
