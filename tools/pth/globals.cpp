#include "tools/pth/globals.h"

#include <algorithm>
#include <iterator>

#include "tools/pth/element_type.h"

namespace mrcnn::pth {
namespace {

struct Entry {
  std::string_view module;
  std::string_view name;
  Meaning meaning;
};

constexpr Entry kAllowed[] = {
    {"collections", "OrderedDict", Meaning::kDict},
    {"collections", "defaultdict", Meaning::kDict},
    {"builtins", "dict", Meaning::kDict},
    {"__builtin__", "dict", Meaning::kDict},
    {"torch._utils", "_rebuild_tensor", Meaning::kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", Meaning::kRebuildTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", Meaning::kRebuildTensorV3},
    {"torch._utils", "_rebuild_parameter", Meaning::kRebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", Meaning::kRebuildParameter},
    {"torch._tensor", "_rebuild_from_type_v2", Meaning::kRebuildFromType},
    {"torch.tensor", "_rebuild_from_type_v2", Meaning::kRebuildFromType},
    {"torch.nn.parameter", "Parameter", Meaning::kTensorClass},
    {"torch", "Size", Meaning::kSize},
    {"_codecs", "encode", Meaning::kEncodeLatin1},
    {"numpy", "dtype", Meaning::kNumpyDType},
};

// The modules that malicious pickles reach for; any name in them is refused.
constexpr std::string_view kDeniedModules[] = {"os",
                                               "posix",
                                               "nt",
                                               "posixpath",
                                               "ntpath",
                                               "subprocess",
                                               "_posixsubprocess",
                                               "sys",
                                               "shutil",
                                               "socket",
                                               "pty",
                                               "runpy",
                                               "importlib",
                                               "imp",
                                               "zipimport",
                                               "pkgutil",
                                               "pickle",
                                               "cPickle",
                                               "_pickle",
                                               "dill",
                                               "joblib",
                                               "marshal",
                                               "ctypes",
                                               "commands",
                                               "code",
                                               "codeop",
                                               "pdb",
                                               "bdb",
                                               "timeit",
                                               "cProfile",
                                               "profile",
                                               "trace",
                                               "pydoc",
                                               "pip",
                                               "ensurepip",
                                               "urllib",
                                               "http",
                                               "httplib",
                                               "requests",
                                               "webbrowser",
                                               "asyncio",
                                               "signal"};

constexpr Entry kDeniedNames[] = {
    {"torch", "load", Meaning::kDenied},
    {"torch.serialization", "load", Meaning::kDenied},
    {"torch.hub", "", Meaning::kDenied},
    {"numpy", "load", Meaning::kDenied},
    {"types", "CodeType", Meaning::kDenied},
    {"types", "FunctionType", Meaning::kDenied},
    {"numpy.testing._private.utils", "", Meaning::kDenied},
};

constexpr std::string_view kDeniedBuiltins[] = {"eval",       "exec",   "execfile", "compile",
                                                "__import__", "open",   "file",     "input",
                                                "breakpoint", "globals"};

template <size_t kCount>
bool contains(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_denied(std::string_view module, std::string_view name) {
  if (contains(kDeniedModules, module.substr(0, module.find('.')))) return true;
  if (module == "builtins" || module == "__builtin__") return contains(kDeniedBuiltins, name);
  return std::any_of(std::begin(kDeniedNames), std::end(kDeniedNames), [&](const Entry& entry) {
    return entry.module == module && (entry.name.empty() || entry.name == name);
  });
}

// NumPy 2 moved numpy.core to numpy._core; files hold either.
Meaning meaning_in_numpy_core(std::string_view module, std::string_view name) {
  if (module.ends_with("core.multiarray") && name == "_reconstruct") {
    return Meaning::kNumpyReconstruct;
  }
  if (module.ends_with("core.multiarray") && name == "scalar") return Meaning::kNumpyScalar;
  if (module.ends_with("core.numeric") && name == "_frombuffer") return Meaning::kNumpyFromBuffer;
  return Meaning::kOpaque;
}

Meaning meaning_in_torch(std::string_view module, std::string_view name) {
  if (element_type_of_storage(name) != nullptr) return Meaning::kStorageType;
  if (module == "torch" && element_type_of_torch(name) != nullptr) return Meaning::kTorchDType;
  // torch.FloatTensor, torch.cuda.HalfTensor: the name of a storage class with another ending.
  constexpr std::string_view kEnding = "Tensor";
  if (name.ends_with(kEnding) && name.size() > kEnding.size()) return Meaning::kTensorClass;
  return Meaning::kOpaque;
}

}  // namespace

Meaning meaning_of_global(std::string_view module, std::string_view name) {
  if (is_denied(module, name)) return Meaning::kDenied;
  for (const Entry& entry : kAllowed) {
    if (entry.module == module && entry.name == name) return entry.meaning;
  }
  if (module.starts_with("numpy.core.") || module.starts_with("numpy._core.")) {
    return meaning_in_numpy_core(module, name);
  }
  if (module == "torch" || module == "torch.cuda" || module == "torch.storage") {
    return meaning_in_torch(module, name);
  }
  return Meaning::kOpaque;
}

std::string_view meaning_text(Meaning meaning) {
  switch (meaning) {
    case Meaning::kOpaque:
      return "not interpreted";
    case Meaning::kDenied:
      return "DENIED: runs code";
    default:
      return "known";
  }
}

}  // namespace mrcnn::pth
