"""The table of synonyms: names of Keras, PyTorch, scikit-learn and Ludwig, and what they are called in a config.

Each line is ``words -> names | text``, continued on lines that are indented. Case, ``_`` and ``-`` of the words do not
count. The names are those of a config: types, or keys as dotted paths. The text says what to write, if that is more
than the names: ``<value>`` stands for the value of the key, ``<layers>`` for a list of layers of these widths,
``<crossentropy>`` for the cross-entropy that suits the data, ``<metric>``, ``<activation>`` and ``<initializer>`` for
what the value is called here, ``<number>``, ``<fraction>`` and ``<patience>`` for the number in the value, ``<keys>``
for the keys of the value, ``<training>``, ``<schedule>`` and ``<fractions>`` for the value as these sections, and
``<alpha>`` for an l2 of scikit-learn. In a text about a type, the example after "write" gets the parameters that were
written, and the part after the first semicolon stays.
"""

# Words that are no type, by kind.
TYPES = """
[loss]
mse MSELoss squared_error quadratic l2_loss -> mean_squared_error
mae L1Loss absolute_error -> mean_absolute_error
cross_entropy CrossEntropyLoss ce log_loss bce BCELoss logistic softmax_cross_entropy
    sigmoid_cross_entropy -> categorical_crossentropy binary_crossentropy | <crossentropy>
BCEWithLogitsLoss bce_with_logits softmax_cross_entropy_with_logits sigmoid_cross_entropy_with_logits ->
    categorical_crossentropy binary_crossentropy | softmax and sigmoid are layers here; <crossentropy>
sparse_categorical_crossentropy sparse_crossentropy -> categorical_crossentropy | write categorical_crossentropy,
    which takes class labels (integers) as they are
nll NLLLoss negative_log_likelihood -> categorical_crossentropy | write categorical_crossentropy after softmax (no
    log_softmax)
Activation_Softmax_Loss_CategoricalCrossentropy -> categorical_crossentropy | write categorical_crossentropy, with
    softmax as the last layer; their gradients are fused by themselves
rmse root_mean_squared_error -> mean_squared_error | it is a metric; write mean_squared_error, which has the same
    minimum
huber HuberLoss smooth_l1 SmoothL1Loss log_cosh mape mean_absolute_percentage_error msle -> | not available; for
    real values write mean_squared_error or mean_absolute_error
hinge squared_hinge categorical_hinge focal focal_loss kl_divergence kld KLDivLoss poisson -> | not available;
    <crossentropy>
softmax sigmoid -> | it is a layer; <crossentropy>
accuracy acc -> | it is a metric, which has no gradient; for classes: <crossentropy>
[optimizer]
momentum sgd_momentum -> sgd | write {type: sgd, momentum: 0.9}
nag nesterov_momentum sgd_nesterov -> nesterov
gd gradient_descent stochastic_gradient_descent -> sgd | write {type: sgd, learning_rate: 0.1}
adadelta -> rmsprop adam
lbfgs adamax amsgrad ftrl lion radam adafactor lamb lars rprop asgd -> | not available; adam is the usual choice:
    {type: adam, learning_rate: 0.001}
[layer]
Linear -> dense | write {type: dense, units: 64}; linear, in lower case, is the identity activation
fc fully_connected affine gemm InnerProduct -> dense | write {type: dense, units: 64}
Input InputLayer Flatten reshape -> | remove it: the number of inputs follows from the data
activation -> relu | write the activation by its name, such as relu
identity none -> linear
logistic expit -> sigmoid
batch_norm bn BatchNorm1d -> batch_normalization | write batch_normalization; its momentum 0.9 is 0.1 in PyTorch
LayerNormalization LayerNorm GroupNorm -> batch_normalization | not available; there is batch_normalization
log_softmax -> softmax | write softmax; categorical_crossentropy takes the logarithm
silu swish mish hardswish -> gelu | not available; similar is gelu
selu celu softplus -> elu | not available; similar is elu
prelu rrelu -> leaky_relu | not available; similar is {type: leaky_relu, slope: 0.01}
relu6 ThresholdedReLU -> relu | not available; similar is relu
hard_sigmoid log_sigmoid -> sigmoid | not available; similar is sigmoid
softsign hard_tanh -> tanh | not available; similar is tanh
AlphaDropout GaussianDropout GaussianNoise -> dropout | not available; write {type: dropout, rate: 0.1}
conv conv1d conv2d Convolution2D MaxPooling2D MaxPool2d AveragePooling2D lstm gru rnn SimpleRNN embedding attention
    MultiHeadAttention sequential -> | not available: networks consist of dense layers and activations
[metric]
acc accuracy_score categorical_accuracy sparse_categorical_accuracy binary_accuracy multiclass_accuracy -> accuracy
mae L1Loss neg_mean_absolute_error -> mean_absolute_error
rmse neg_root_mean_squared_error -> root_mean_squared_error
mse mean_squared_error neg_mean_squared_error -> root_mean_squared_error | it is a loss, which is always measured; the
    metric is root_mean_squared_error, its root
roc_auc roc_auc_score auroc BinaryAUROC -> auc
f1_score f1_macro BinaryF1Score -> f1
r2_score -> r2
precision_score -> precision
recall_score sensitivity tpr -> recall
loss -> | remove it: the loss is always measured
confusion_matrix -> | remove it: 'nncli evaluate' prints the confusion matrix
categorical_crossentropy binary_crossentropy cross_entropy log_loss -> | remove it: the loss is always measured
[initializer]
glorot_uniform xavier xavier_uniform -> glorot
glorot_normal xavier_normal -> glorot | write glorot, which is uniform here
he_normal kaiming kaiming_normal -> he
he_uniform kaiming_uniform -> he | write he, which is normal here
random_normal gaussian truncated_normal -> normal | write {type: normal, scale: 0.05}
random uniform random_uniform lecun_uniform lecun_normal orthogonal -> glorot | not available; similar is glorot
zeros zero ones constant -> | equal weights would stay equal; omit it for the default
[schedule]
cosine_annealing CosineAnnealingLR cosine_decay CosineLR cosine_schedule -> cosine
step_lr step_decay piecewise MultiStepLR -> step | write {type: step, every: 1000, gamma: 0.1}; 'every'
    counts updates, not epochs
exponential_decay ExponentialLR exp -> exponential | write {type: exponential, gamma: 0.999}; gamma is
    the factor per update
linear_warmup LinearLR -> warmup | write {type: warmup, updates: 100}
OneCycleLR one_cycle warmup_cosine -> warmup | write {type: warmup, updates: 100, then: cosine}
invscaling inverse_time InverseTimeDecay time -> | it is a key of the optimizer: write decay: 1e-3 there
constant none fixed -> | remove the section: without it the learning rate is constant
polynomial PolynomialDecay linear -> cosine | not available; similar is cosine
ReduceLROnPlateau reduce_on_plateau plateau adaptive CyclicLR -> cosine | not available; cosine and step lower the
    learning rate as training goes on, whatever the loss
[clipping]
clipnorm global_norm global_clipnorm clip_grad_norm l2 max_norm -> norm | write {type: norm, limit: 1}
clipvalue clip_grad_value -> value | write {type: value, limit: 1}
[dataset]
csv tsv file tabular dataframe pandas -> table | write {type: table, path: data.csv, target: COLUMN}
json parquet hdf5 excel xlsx numpy npy image_folder -> | not available; save the rows as CSV and write {type: table,
    path: data.csv, target: COLUMN}
spirals two_spirals -> spiral | write {type: spiral, classes: 2}
moon make_moons two_moons half_moons -> moons | write moons; samples counts the points of each class
circle make_circles concentric_circles rings -> circles | write circles; samples counts the points of each class
exclusive_or checkerboard -> xor
gauss gaussian blobs make_blobs clusters -> gaussians | write gaussians; samples counts the points of each class
make_classification -> gaussians | not built in; similar is {type: gaussians, classes: 2}
iris wine breast_cancer digits mnist fashion_mnist cifar10 -> spiral | not built in; write spiral or vertical
    (classes)
make_regression diabetes california_housing boston sinus sin -> sine | not built in; write sine (real values)
"""

# Words that are no key, by what contains them: a section, the components of a kind, or one component; "config" is the
# top level. The hints of a component precede those of its kind, and "anywhere" comes last.
KEYS = """
[anywhere]
lr learning_rate_init initial_learning_rate eta eta0 base_lr step_size -> optimizer.learning_rate
epoch n_epochs num_epochs max_epochs nb_epoch max_iter n_iter iterations n_iterations -> training.epochs
batch batchsize bs mini_batch_size train_batch_size batch_num -> training.batch_size
print_every log_interval log_every_n_steps display_step verbose_every -> training.log_every
n_jobs num_threads n_threads num_workers -> training.threads
n_iter_no_change early_stopping_patience early_stop_patience -> training.early_stopping.patience
tol min_improvement -> training.early_stopping.min_delta
early_stop early_stopping callbacks -> training.early_stopping | write
    early_stopping: {patience: <patience>} in training
random_state random_seed manual_seed seed_everything rng_seed -> seed
device accelerator gpu gpus cuda use_gpu num_gpus devices strategy backend -> | remove it: nncli computes on the CPU
input_shape input_dim input_size n_inputs in_features n_features num_features n_features_in_ input_features -> |
    remove it: the number of inputs follows from the data
n_classes num_classes n_outputs output_size output_dim out_features -> | the outputs are the units of the last dense
    layer
class_weight class_weights sample_weight -> | write class_weights or sample_weight in data, for a table
validation_split validation_fraction val_split val_size valid_size dev_split -> validation | write validation:
    {fraction: <value>}
validation_data val_data valid val eval_set dev -> validation | write validation: {fraction: <fraction>}, or a data set
test_size test_split test_fraction -> test | write test: {fraction: <value>}
train_size train_split split -> validation | write validation: {fraction: 0.2}, the rows that are held out
shuffle drop_last -> | remove it: mini-batches are shuffled in every epoch
verbose progress_bar enable_progress_bar -> | remove it: the option is --quiet
output_dir save_dir log_dir save_path default_root_dir checkpoint_dir -> | remove it: the option is --runs-dir
name run_name experiment_name title -> | remove it: the option of 'nncli train' is --name
warm_start resume -> | remove it: the option is --resume
solver algorithm -> optimizer
criterion objective loss_fn loss_function cost -> loss
scheduler lr_scheduler lr_schedule learning_rate_scheduler learning_rate_schedule decay_schedule -> schedule
    | write schedule: <schedule>
dataset train_data training_data train_set -> data
precision mixed_precision float_type data_type -> dtype | write dtype: float32 or float64
clipnorm -> clipping | write clipping: {type: norm, limit: <number>} at the top level, the norm of all gradients
    together (global_clipnorm of Keras; its clipnorm is that of each array)
global_clipnorm gradient_clip_val gradient_clipping grad_clip max_grad_norm max_norm -> clipping | write
    clipping: {type: norm, limit: <number>} at the top level
clipvalue -> clipping | write clipping: {type: value, limit: <number>} at the top level
kernel_regularizer weight_regularizer kernel_regularization regularizer regularizers regularization_lambda ->
    regularization | write l1 or l2 in the dense layer, such as l2: 1e-4, or for all: regularization: {l2: 1e-4}
bias_regularizer -> regularization | write bias_l1 or bias_l2 in the dense layer, such as bias_l2: 1e-4
kernel_initializer weight_initializer weight_init init initialization bias_initializer -> | the key of a dense layer
    is initializer, such as initializer: he; initial biases are 0
<< -> | merge keys are not part of YAML 1.2; write the keys, or the alias as the whole value
[config]
cv kfold kfolds n_splits n_folds num_folds folds cross_validation -> validation | write
    validation: {folds: 5, fold: 0}
momentum -> | it is a key of the optimizers sgd and nesterov: write optimizer: {type: sgd, momentum: <value>}
penalty regularization_type -> regularization | write regularization: {l2: 1e-4}
compile -> | write its keys at the top level: <keys>
preprocessing -> | <fractions>
hyperopt pipeline power_t max_fun -> | not available; remove it
model_type task estimator -> | remove it: the task follows from the data and the last layer
output_features targets y -> | remove it: the targets follow from the data
deterministic benchmark -> | remove it: a run is always reproducible
steps max_steps train_steps num_steps -> training.epochs | write epochs in training: passes over the training set
hidden_layers hidden_layer_sizes hidden_units hidden_sizes n_hidden architecture network fc_layers net model -> layers
    | a network is a list of layers: write layers: <layers>
trainer train fit hyperparameters training_params params -> training
    | the section is called training: write training: <training>
activation activations -> | an activation is a layer of its own: write '- relu' after each dense layer
combiner inputs outputs X -> | a config has the sections data, layers, loss, optimizer and training
alpha -> regularization | <alpha>
lambda l2_regularization -> regularization | write regularization: {l2: <value>}
weight_decay -> regularization | write optimizer: {type: adamw, weight_decay: <value>}, or regularization: {l2:
    <value>}
monitor -> training.early_stopping.metric
nesterovs_momentum -> optimizer | write optimizer: {type: nesterov, momentum: 0.9}
batch_norm batch_normalization -> | it is a layer: write '- batch_normalization' in layers
[training]
steps max_steps train_steps num_steps -> training.epochs | write epochs: passes over the training set
validation_metric -> training.early_stopping.metric | write early_stopping: {metric: validation_<metric>}
regularization_type -> | write regularization: {l2: 1e-4} at the top level
dropout -> | dropout is a layer: write '- {type: dropout, rate: <value>}' in layers
steps_per_epoch -> training.batch_size | remove it: an epoch is one pass; its steps follow from batch_size
weight_decay -> | write optimizer: {type: adamw, weight_decay: <value>}
[early_stopping]
monitor quantity -> training.early_stopping.metric | the key is metric: write metric: <metric>
mode -> | remove it: nncli knows for each metric whether higher is better
restore_best_weights restore_best -> | remove it: the best weights are always restored
delta threshold -> training.early_stopping.min_delta
epochs rounds wait -> training.early_stopping.patience
start_from_epoch baseline stopping_threshold -> | not available; remove it
[regularization]
lambda alpha weight_decay weight_l2 kernel_l2 weight_regularizer_l2 -> regularization.l2
weight_l1 kernel_l1 weight_regularizer_l1 -> regularization.l1
type penalty -> | write the strengths, such as {l2: 1e-4}
dropout -> | dropout is a layer: write '- {type: dropout, rate: <value>}' in layers
[seeds]
seed -> seed | it is a key of its own: write seed: <value> at the top level
init initialization weight initial_weights initializer -> seeds.weights
shuffle shuffling batches sampler -> seeds.order
sampling dataset -> seeds.data
splits validation test -> seeds.split
mask masks -> seeds.dropout
[fraction]
fold -> | one of several folds is written with their number: write {folds: 5, fold: <value>}
shuffle stratify random_state seed -> | remove it: rows are drawn at random, stratified by class
[optimizer]
rate learningrate alpha -> optimizer.learning_rate
eps -> optimizer.epsilon
betas -> | write the two values as beta_1: 0.9, beta_2: 0.999
lr_decay -> optimizer.decay
nesterov -> | write type: nesterov, with momentum: 0.9
amsgrad centered dampening maximize fused foreach -> | not available; remove it
l2 weight_regularizer -> | write regularization: {l2: <value>} at the top level
schedule -> schedule | it is a section of its own: write schedule: <value> at the top level
[optimizer adam]
weight_decay -> | adam has no weight decay, adamw has: write type: adamw, weight_decay: <value>
momentum -> optimizer.beta_1 | the momentum of adam is beta_1: write beta_1: <value>
rho -> optimizer.beta_2 | it is beta_2 in adam: write beta_2: <value>
[optimizer nadam]
weight_decay -> | nadam has no weight decay, adamw has: write type: adamw, weight_decay: <value>
momentum -> optimizer.beta_1 | the momentum of nadam is beta_1: write beta_1: <value>
[optimizer adamw]
momentum -> optimizer.beta_1 | the momentum of adamw is beta_1: write beta_1: <value>
[optimizer rmsprop]
alpha smoothing decay_rate beta_2 -> optimizer.rho
momentum -> | rmsprop has no momentum; adam has both: write type: adam
[optimizer sgd]
weight_decay -> | sgd has no weight decay: write regularization: {l2: <value>} at the top level
[layer]
seed random_state -> | remove it: all random numbers follow from the seed at the top level
kernel_constraint bias_constraint activity_regularizer -> | not available; remove it
activation -> | an activation is a layer of its own: write '- <activation>' on the next line
dropout dropout_rate -> | dropout is a layer of its own: write '- {type: dropout, rate: <value>}' on the next line
batch_norm batch_normalization -> | it is a layer of its own: write '- batch_normalization' on the next line
trainable name dtype inplace -> | layers have no such key; remove it
eps -> epsilon
[layer dense]
neurons n_neurons size width nodes n_units num_units n_nodes out_features output_size output_dim n_outputs fc_size
    hidden_size -> units
use_bias bias -> | remove it: every dense layer has biases
weight_decay l2_regularization kernel_l2 -> l2
init weight_init kernel_initializer weights_initializer -> initializer | write initializer: <initializer>
regularization penalty -> l2 | write l1 or l2, such as l2: 1e-4
[layer dropout]
p prob probability drop_prob drop_rate dropout_rate dropout fraction -> rate
keep_prob keep_rate keep -> rate | the key is rate, the fraction that is dropped: 1 - <value>
noise_shape -> | not available; remove it
[layer leaky_relu]
negative_slope alpha -> slope
[layer softmax]
axis dim -> | remove it: softmax is taken over the outputs of a row
[layer batch_normalization]
affine center scale track_running_stats axis -> | not available; remove it
[loss]
from_logits -> | remove it: softmax or sigmoid is the last layer, written in layers
reduction -> | remove it: the loss is the mean over the rows
label_smoothing ignore_index -> | not available; remove it
weight class_weight pos_weight -> | write class_weights in data, for a table
[metric]
average -> | not available; 'nncli evaluate' prints the values of each class
[dataset]
n_samples num_samples size n rows n_points points -> samples
n_classes num_classes centers -> classes
random_state -> seed
noise std cluster_std -> | the noise is fixed; remove it
fraction -> | a fraction belongs in validation or test, such as validation: {fraction: <value>}
split ratio frac test_size -> | write {fraction: <value>}
n_splits n_folds num_folds kfolds kfold cv k -> | write {folds: <value>, fold: 0}
fold -> | write {folds: 5, fold: <value>}
[dataset gaussians]
cluster_std std -> noise
[schedule]
step_size step interval -> every
decay_rate drop factor -> gamma
t_max total_steps decay_steps warmup_steps steps total_iters -> updates | the key is updates, the number of training
    steps
eta_min min_lr min_learning_rate alpha end_lr -> lowest | the key is lowest, as a fraction of the learning rate
milestones last_epoch -> | not available; remove it
[clipping]
max_norm clipnorm norm value clip_value threshold max -> limit
"""
