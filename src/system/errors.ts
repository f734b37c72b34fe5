// Texts of the operating system's error codes, as C's strerror.

/** The code itself where its text is not known. */
export function textOfError(code: string): string {
  return ERROR_TEXTS.get(code) ?? code
}

const ERROR_TEXTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    EPERM: 'Operation not permitted',
    ENOENT: 'No such file or directory',
    EINTR: 'Interrupted system call',
    EIO: 'Input/output error',
    EBADF: 'Bad file descriptor',
    EAGAIN: 'Resource temporarily unavailable',
    ENOMEM: 'Cannot allocate memory',
    EACCES: 'Permission denied',
    EBUSY: 'Device or resource busy',
    EEXIST: 'File exists',
    EXDEV: 'Invalid cross-device link',
    ENOTDIR: 'Not a directory',
    EISDIR: 'Is a directory',
    EINVAL: 'Invalid argument',
    ENFILE: 'Too many open files in system',
    EMFILE: 'Too many open files',
    ETXTBSY: 'Text file busy',
    EFBIG: 'File too large',
    ENOSPC: 'No space left on device',
    ESPIPE: 'Illegal seek',
    EROFS: 'Read-only file system',
    EMLINK: 'Too many links',
    EPIPE: 'Broken pipe',
    ENAMETOOLONG: 'File name too long',
    ENOTEMPTY: 'Directory not empty',
    ELOOP: 'Too many levels of symbolic links',
    ENOTSUP: 'Operation not supported',
    EDQUOT: 'Disk quota exceeded',
    EADDRINUSE: 'Address already in use',
    EADDRNOTAVAIL: 'Cannot assign requested address',
    EAFNOSUPPORT: 'Address family not supported by protocol',
    ENETUNREACH: 'Network is unreachable',
    ECONNABORTED: 'Software caused connection abort',
    ECONNRESET: 'Connection reset by peer',
    ETIMEDOUT: 'Connection timed out',
    ECONNREFUSED: 'Connection refused',
    EHOSTUNREACH: 'No route to host',
    ENOTFOUND: 'Name or service not known',
  }),
)
