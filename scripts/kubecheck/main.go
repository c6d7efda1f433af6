// Kubecheck says whether an API server would take the objects in a stream of YAML documents.
//
// It decodes strictly (an unknown field or a wrong type is an error), applies Kubernetes' defaults,
// runs the validation that the API server runs when an object is created, and holds pods against
// a level of Pod Security. No cluster and no network are needed: it is the API server's own code.
//
//	helm template charts/augstudy | kubecheck [-pod-security restricted]
//
// It prints a line an object, and ends with 1 if one would be refused.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// What the API server does when an object of a kind is created. A kind that is not here is
// refused, so that nothing passes unchecked.
var strategies = map[schema.GroupKind]rest.RESTCreateStrategy{
	{Kind: "ConfigMap"}:           configmap.Strategy,
	{Kind: "LimitRange"}:          limitrange.Strategy,
	{Kind: "Pod"}:                 pod.Strategy,
	{Kind: "ResourceQuota"}:       resourcequota.Strategy,
	{Kind: "Secret"}:              secret.Strategy,
	{Kind: "ServiceAccount"}:      serviceaccount.Strategy,
	{Group: "batch", Kind: "Job"}: job.Strategy,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:       networkpolicy.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:        role.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}: rolebinding.Strategy,
}

type checker struct {
	codecs    serializer.CodecFactory
	evaluator policy.Evaluator
	level     api.LevelVersion
}

func newChecker(level string) (*checker, error) {
	parsed, err := api.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	return &checker{
		codecs:    serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict),
		evaluator: evaluator,
		level:     api.LevelVersion{Level: parsed, Version: api.LatestVersion()},
	}, nil
}

// check returns the name of the object in a document, and why it would be refused.
func (c *checker) check(document []byte) (string, error) {
	sent, kind, err := c.codecs.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return "?", err
	}
	accessor, err := meta.Accessor(sent)
	if err != nil {
		return kind.Kind, err
	}
	name := kind.Kind + "/" + accessor.GetName()
	if err := c.create(document, *kind, accessor.GetNamespace()); err != nil {
		return name, err
	}
	return name, c.secure(sent)
}

// create does what the API server does before it stores a new object.
func (c *checker) create(document []byte, kind schema.GroupVersionKind, namespace string) error {
	strategy, known := strategies[kind.GroupKind()]
	if !known {
		return fmt.Errorf("kind %s is not known to kubecheck: add it to its table", kind.Kind)
	}
	if namespace == "" {
		return errors.New("the object names no namespace")
	}
	object, err := runtime.Decode(c.codecs.UniversalDecoder(), document)
	if err != nil {
		return err
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(accessor)
	ctx := request.WithNamespace(request.NewContext(), namespace)
	// Kubernetes names its validation rules by the request.
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		IsResourceRequest: true,
		Verb:              "create",
		APIGroup:          kind.Group,
		APIVersion:        kind.Version,
		Namespace:         namespace,
		Resource:          strings.ToLower(kind.Kind) + "s",
		Name:              accessor.GetName(),
	})
	return rest.BeforeCreate(strategy, ctx, object)
}

// secure holds the pods that an object makes against the level of Pod Security.
func (c *checker) secure(object runtime.Object) error {
	var template corev1.PodTemplateSpec
	switch typed := object.(type) {
	case *corev1.Pod:
		template = corev1.PodTemplateSpec{ObjectMeta: typed.ObjectMeta, Spec: typed.Spec}
	case *batchv1.Job:
		template = typed.Spec.Template
	default:
		return nil
	}
	results := c.evaluator.EvaluatePod(c.level, &template.ObjectMeta, &template.Spec)
	if found := policy.AggregateCheckResults(results); !found.Allowed {
		return fmt.Errorf("Pod Security %s: %s", c.level.Level, found.ForbiddenDetail())
	}
	return nil
}

// checkAll checks every document of a stream and returns how many there were and how many are wrong.
func (c *checker) checkAll(stream io.Reader, out io.Writer) (total, wrong int, err error) {
	reader := yaml.NewYAMLReader(bufio.NewReader(stream))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return total, wrong, nil
		}
		if err != nil {
			return total, wrong, err
		}
		if isEmpty(document) {
			continue
		}
		total++
		name, refusal := c.check(document)
		if refusal == nil {
			fmt.Fprintln(out, "ok   ", name)
			continue
		}
		wrong++
		fmt.Fprintf(out, "wrong %s: %v\n", name, refusal)
	}
}

func isEmpty(document []byte) bool {
	for _, line := range strings.Split(string(document), "\n") {
		text := strings.TrimSpace(line)
		if text != "" && text != "---" && !strings.HasPrefix(text, "#") {
			return false
		}
	}
	return true
}

func main() {
	level := flag.String("pod-security", "restricted", "level that pods must pass")
	flag.Parse()
	checker, err := newChecker(*level)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	total, wrong, err := checker.checkAll(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "The input cannot be read:", err)
		os.Exit(2)
	}
	if total == 0 {
		fmt.Fprintln(os.Stderr, "There is no object in the input.")
		os.Exit(2)
	}
	if wrong > 0 {
		os.Exit(1)
	}
}
